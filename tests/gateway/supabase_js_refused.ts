// Requests features that the embedded stack does not implement, with the real supabase-js.
// Prints each error as [code, message].
import { createClient } from "npm:@supabase/supabase-js@2.119.1";

const [url, publishable, secret] = Deno.args;
const options = { auth: { persistSession: false, autoRefreshToken: false } };
const create = (key = publishable) => createClient(url, key, options);
const app = create();
const userId = (await app.auth.signInAnonymously()).data.user!.id;
const admin = create(secret);
const bucket = admin.storage.from("generations");
const path = `${userId}/job/0.png`;
const png = new Blob(["picture"], { type: "image/png" });
await bucket.upload(path, png);
const id = crypto.randomUUID();
const account = { email: `${userId}@example.com`, password: "secret1" };
const said: Record<string, [string?, string?]> = {};

type Failure = { code?: string; statusCode?: string; message?: string } | null;
async function ask(name: string, call: PromiseLike<{ error: unknown }>) {
  const error = (await call).error as Failure;
  said[name] = [error?.code ?? error?.statusCode, error?.message];
}

await ask("sign up", create().auth.signUp(account));
await ask("sign in", create().auth.signInWithPassword(account));
await ask("one-time code", create().auth.signInWithOtp({ email: account.email }));
await ask("one-time code by phone", create().auth.signInWithOtp({ phone: "+4912345" }));
await ask("verify", create().auth.verifyOtp({ email: account.email, token: "1", type: "recovery" }));
await ask("update user", app.auth.updateUser({ password: account.password }));
await ask("link", createClient(url, publishable, { auth: { ...options.auth, flowType: "pkce" } }).auth.signInWithOtp({ email: account.email }));

const jobs = () => app.from("jobs").select("id");
await ask("count", app.from("jobs").select("id", { count: "exact" }));
await ask("range", jobs().range(0, 9));
await ask("or", jobs().or("status.eq.queued,status.eq.running"));
await ask("not", jobs().not("status", "eq", "queued"));
await ask("is", jobs().is("error_code", null));
await ask("like", jobs().like("status", "q%"));
await ask("cast", app.from("jobs").select("id::text"));
await ask("embedded table", app.from("jobs").select("id, generations(id)"));
await ask("JSON path", app.from("jobs").select("input->>prompt"));
await ask("aggregate", app.from("jobs").select("id.count()"));
await ask("order of an embedded table", jobs().order("id", { referencedTable: "generations" }));
await ask("csv", jobs().csv());
await ask("explain", jobs().explain());
await ask("stripped nulls", jobs().stripNulls());
await ask("insert", app.from("credit_entries").insert({ reason: "mine" }));
await ask("upsert", app.from("credit_entries").upsert({ reason: "mine" }));
await ask("update", app.from("entitlements").update({ credits: 99 }).eq("user_id", userId));
await ask("delete returning", app.from("generations").delete().eq("id", id).select());
await ask("delete count", app.from("generations").delete({ count: "exact" }).eq("id", id));
await ask("delete limit", app.from("generations").delete().eq("id", id).limit(1));
await ask("schema", app.schema("private" as "public").from("models").select());

await ask("rpc select", app.rpc("list_models").select("id"));
await ask("rpc filter", app.rpc("list_models").eq("id", "preview"));
await ask("rpc order", app.rpc("list_models").order("id"));
await ask("rpc limit", app.rpc("list_models").limit(1));
await ask("rpc count", app.rpc("list_models", {}, { count: "exact" }));
await ask("rpc get", app.rpc("list_models", {}, { get: true }));
await ask("rpc rows", app.rpc("my_notes"));

await ask("storage list", bucket.list(userId));
await ask("storage info", bucket.info(path));
await ask("storage update", bucket.update(path, png));
await ask("storage move", bucket.move(path, `${path}.png`));
await ask("storage copy", bucket.copy(path, `${path}.png`));
await ask("storage bucket", admin.storage.getBucket("generations"));
await ask("storage upload URL", bucket.createSignedUploadUrl(`${path}.png`));
await ask("storage metadata", bucket.upload(`${path}.png`, png, { metadata: { a: 1 } }));
await ask("storage raw metadata", bucket.upload(`${path}.png`, new ArrayBuffer(1), { metadata: { a: 1 } }));
await ask("storage encoding", bucket.upload(`${path}.png`, png, { contentEncoding: "gzip" }));
await ask("storage signed transform", bucket.createSignedUrl(path, 60, { transform: { width: 9 } }));
await ask("storage transform", bucket.download(path, { transform: { width: 9 } }));
await ask("storage version", bucket.createSignedUrl(path, 60, { versionId: "1" }));

async function load(name: string, address: string) {
  const { error, message } = await (await fetch(address)).json();
  said[name] = [error, message];
}
await load("storage public", `${bucket.getPublicUrl(path).data.publicUrl}?apikey=${publishable}`);
const signed = (options: { download?: string; cacheNonce?: string }) => bucket.createSignedUrl(path, 60, options);
await load("storage download name", (await signed({ download: "a.png" })).data!.signedUrl);
await load("storage nonce", (await signed({ cacheNonce: "1" })).data!.signedUrl);
await load("storage width", `${(await signed({})).data!.signedUrl}&width=9`);

const topic = `user:${userId}`;
const clients: ReturnType<typeof create>[] = [];
await app.auth.getSession().then(({ data }) => app.realtime.setAuth(data.session!.access_token));
// deno-lint-ignore no-explicit-any
async function join(name: string, config: any, prepare = (channel: any) => channel, client = app) {
  clients.push(client);
  const channel = prepare(client.channel(topic, { config: { private: true, ...config } }));
  // deno-lint-ignore no-explicit-any
  const error = await new Promise<any>((resolve) => {
    channel.subscribe((status: string, error: unknown) => status === "CHANNEL_ERROR" && resolve(error));
  });
  const [, code, message] = /^(?:.*?"|)(\w+): ([^"]*)/.exec(error.message)!;
  said[name] = [code, message];
  await client.removeChannel(channel);
}
await join("realtime presence", { presence: { key: "a" } });
// deno-lint-ignore no-explicit-any
await join("realtime presence listener", {}, (channel: any) => channel.on("presence", { event: "sync" }, () => {}));
const changes = { event: "*", schema: "public", table: "jobs" };
// deno-lint-ignore no-explicit-any
await join("realtime changes", {}, (channel: any) => channel.on("postgres_changes", changes, () => {}));
await join("realtime replay", { broadcast: { replay: { since: 1 } } });
await join("realtime public", { private: false });
const loud = createClient(url, publishable, { ...options, realtime: { params: { eventsPerSecond: 9 } } });
await join("realtime parameter", {}, undefined, loud);
const sent = await app.channel(topic, { config: { private: true } }).httpSend("job", {}).catch((error) => error);
said["realtime HTTP"] = ["not_implemented", String(sent.message ?? sent.error)];
await Promise.all(clients.map((client) => client.removeAllChannels()));
await Promise.all(clients.map((client) => client.realtime.disconnect()));

console.log(JSON.stringify(said).replaceAll(userId, "USER"));
