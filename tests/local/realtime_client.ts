// A supabase-js client that reads a token from its input, joins one private topic with it and
// prints each message as a line of JSON. The token comes last, so that the start
// does not use up its lifetime.
import { createClient } from "npm:@supabase/supabase-js@2.119.1";

const [url, key, topic] = Deno.args;
console.log("waiting for the token");
const input = await Deno.stdin.readable.getReader().read();
const token = new TextDecoder().decode(input.value).trim();
const client = createClient(url, key, { accessToken: () => Promise.resolve(token || null) });
// A private channel needs the token before the join, and the client fetches it only at its leisure.
await client.realtime.setAuth();
const say = (line: unknown) => console.log(JSON.stringify(line));

client
  .channel(topic, { config: { private: true, broadcast: { ack: true } } })
  .on("broadcast", { event: "*" }, (message) => say({ event: message.event, payload: message.payload }))
  .on("system", {}, (message) => say({ system: message.message }))
  .subscribe((status, error) => say({ status, error: error?.message }));
