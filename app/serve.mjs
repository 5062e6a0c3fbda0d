/** Serves the web export on this machine alone, for the stack that the environment names.
 *
 * The export holds stand-ins for address and key, so that one export serves every stack: making it takes half a minute.
 */

import { createReadStream, existsSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';

const STAND_INS = {
  EXPO_PUBLIC_SUPABASE_URL: 'http://supabase.invalid',
  EXPO_PUBLIC_SUPABASE_PUBLISHABLE_KEY: 'sb_publishable_stand_in',
};
const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.png': 'image/png', '.ico': 'image/x-icon' };

const [folder = '../.pilotlight/app/web', port = '8081'] = process.argv.slice(2);

const server = createServer((request, response) => {
  const path = join(folder, normalize(decodeURIComponent(new URL(request.url, 'http://app').pathname)));
  // Any other address is a screen of the app.
  const file = existsSync(path) && statSync(path).isFile() ? path : join(folder, 'index.html');
  const type = extname(file);
  const lasts = file.includes('/_expo/static/') ? 'max-age=31536000, immutable' : 'no-store';
  response.writeHead(200, { 'Content-Type': TYPES[type] ?? 'application/octet-stream', 'Cache-Control': lasts });
  if (type === '.js') response.end(filled(readFileSync(file, 'utf8')));
  else createReadStream(file).pipe(response);
});

function filled(script) {
  return Object.entries(STAND_INS).reduce((text, [name, standIn]) => text.replaceAll(standIn, process.env[name] ?? standIn), script);
}

server.on('error', (error) => {
  console.error(error.code === 'EADDRINUSE' ? `Port ${port} is in use: stop what listens there.` : String(error));
  process.exit(1);
});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(0));
server.listen(Number(port), '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`));
