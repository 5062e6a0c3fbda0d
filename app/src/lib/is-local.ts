/** Whether a server runs on this machine or in its own network, and is no hosted project. */
export function isLocal(url: string): boolean {
  const host = /^https?:\/\/([^/:]+)/.exec(url)?.[1] ?? '';
  return host === 'localhost' || /^(127|10|192\.168|172\.(1[6-9]|2\d|3[01]))(\.\d+){2,3}$/.test(host);
}
