/** Serves the web export on this machine only, for the stack that the environment names.
 *
 * The export holds placeholders for address and key, so that one export serves every stack: an
 * export takes half a minute.
 */

import { readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const STAND_INS = {
  EXPO_PUBLIC_SUPABASE_URL: 'http://supabase.invalid',
  EXPO_PUBLIC_SUPABASE_PUBLISHABLE_KEY: 'sb_publishable_stand_in',
};
const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.png': 'image/png',
  '.webp': 'image/webp',
  '.ico': 'image/x-icon',
};
const ENCODINGS = {
  // Quality 11 would take seconds for the script and save 3 % more.
  br: (content) => brotliCompressSync(content, { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } }),
  gzip: (content) => gzipSync(content),
};

const [folder = '../.pilotlight/app/web', port = '8081'] = process.argv.slice(2);
const contents = new Map();

const server = createServer((request, response) => {
  try {
    const file = fileOf(request.url);
    if (!file) return response.writeHead(404).end();
    if (!['GET', 'HEAD'].includes(request.method)) return response.writeHead(405, { Allow: 'GET, HEAD' }).end();
    const type = TYPES[extname(file)] ?? 'application/octet-stream';
    const encoding = type.startsWith('image/') ? undefined : encodingOf(request);
    // Read the file before the headers are sent: without it, an error can still be sent.
    const content = contentOf(file, encoding);
    response.writeHead(200, {
      'Content-Type': type,
      'Cache-Control': file.includes('/_expo/static/') ? 'max-age=31536000, immutable' : 'no-cache',
      'X-Content-Type-Options': 'nosniff',
      ...(encoding && { 'Content-Encoding': encoding, Vary: 'Accept-Encoding' }),
    });
    response.end(content);
  } catch {
    // A malformed path, such as /%, or a file that a new export has just replaced.
    response.writeHead(400).end();
  }
});

/** Return the file of a path, the app itself for the path of a screen, or undefined. */
function fileOf(url) {
  const path = normalize(decodeURIComponent(new URL(`http://app${url}`).pathname));
  const file = join(folder, path);
  if (statSync(file, { throwIfNoEntry: false })?.isFile()) return file;
  // An old page that requests an old script must not get a page.
  return extname(path) ? undefined : join(folder, 'index.html');
}

function encodingOf(request) {
  const accepted = String(request.headers['accept-encoding']);
  return Object.keys(ENCODINGS).find((name) => accepted.includes(name));
}

/** Return the content of a file, filled and compressed once for each export. */
function contentOf(file, encoding) {
  const key = `${encoding} ${file} ${statSync(file).mtimeMs}`;
  if (!contents.has(key)) {
    const content = extname(file) === '.js' ? filled(readFileSync(file, 'utf8')) : readFileSync(file);
    contents.set(key, encoding ? ENCODINGS[encoding](content) : content);
  }
  return contents.get(key);
}

function filled(script) {
  return Object.entries(STAND_INS).reduce((text, [name, standIn]) => text.replaceAll(standIn, process.env[name] ?? standIn), script);
}

server.on('error', (error) => {
  console.error(error.code === 'EADDRINUSE' ? `Port ${port} is in use: stop what listens there.` : String(error));
  process.exit(1);
});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(0));
server.listen(Number(port), '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`));
