/** Metro's defaults, after a check of the values that every bundle contains.
 * Without them an app would end at its first line. */

const CURE = 'copy app/.env.example to app/.env and fill it in, or set it in the EAS environment of the build profile';

for (const name of ['EXPO_PUBLIC_SUPABASE_URL', 'EXPO_PUBLIC_SUPABASE_PUBLISHABLE_KEY']) {
  if (!process.env[name]) throw new Error(`${name} is not set: ${CURE}.`);
}
if (!URL.canParse(process.env.EXPO_PUBLIC_SUPABASE_URL)) {
  throw new Error('EXPO_PUBLIC_SUPABASE_URL is no address: it begins with https:// and is on the project\'s API page.');
}
if (isSecret(process.env.EXPO_PUBLIC_SUPABASE_PUBLISHABLE_KEY)) {
  throw new Error('EXPO_PUBLIC_SUPABASE_PUBLISHABLE_KEY is a secret key, which every user could read: take the publishable one.');
}

/** Whether a key is secret:
 * `sb_secret_…`, or an older service_role key, by the role in its token. */
function isSecret(key) {
  const [, claims = ''] = key.split('.');
  return key.startsWith('sb_secret_') || Buffer.from(claims, 'base64url').toString().includes('"service_role"');
}

module.exports = require('expo/metro-config').getDefaultConfig(__dirname);
