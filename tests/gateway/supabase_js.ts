// Makes the calls of our app with the real supabase-js, and prints the results as one JSON object.
import { createClient } from "npm:@supabase/supabase-js@2.119.1";

const [url, publishable, secret] = Deno.args;
const options = { auth: { persistSession: false, autoRefreshToken: false } };
const create = (key = publishable, more = {}) => createClient(url, key, { ...options, ...more });
const bucketOf = (client: ReturnType<typeof create>) => client.storage.from("generations");
const png = (text: string) => new Blob([text], { type: "image/png" });

const app = create();
const anonymous = (await app.auth.signInAnonymously()).data;
const userId = anonymous.user!.id;
const stranger = create();
await stranger.auth.signInAnonymously();
const admin = create(secret);
const path = `${userId}/job/0.png`;
const said: Record<string, unknown> = {};

said.anonymous = anonymous.user!.is_anonymous;
said.getUser = (await app.auth.getUser()).data.user?.id === userId;
said.getClaims = (await app.auth.getClaims()).data?.claims.sub === userId;
const before = (await app.auth.getSession()).data.session!;
const refreshed = (await app.auth.refreshSession()).data.session!;
said.rotates = refreshed.refresh_token !== before.refresh_token && refreshed.user.id === userId;
said.unknownRefresh = (await create().auth.refreshSession({ refresh_token: "unknown" })).error?.code;

said.rpc = (await app.rpc("list_models")).data.models.length > 0;
const enqueue = { p_id: crypto.randomUUID(), p_model: "preview", p_input: { prompt: "a fox" } };
said.enqueue = (await app.rpc("enqueue_generation", enqueue)).data.job.status;
said.status = (await app.rpc("get_job_status", { p_ids: [enqueue.p_id] })).data.jobs.length;
const unknown = await app.rpc("enqueue_generation", { ...enqueue, p_id: crypto.randomUUID(), p_model: "unknown" });
said.rpcError = [unknown.status, unknown.error?.code];
said.rpcMissing = (await app.rpc("no_such_function")).error?.code;
said.rpcAnon = (await create().rpc("list_models")).status;
said.ownJobs = (await app.from("jobs").select("id").order("created_at").limit(5)).data?.length;
said.othersJobs = (await stranger.from("jobs").select("id").in("id", [enqueue.p_id])).data?.length;
said.single =
  (await app.from("entitlements").select("user_id").eq("user_id", userId).single()).data?.user_id === userId;
said.none = (await app.from("jobs").select("id").eq("id", crypto.randomUUID()).maybeSingle()).data;

said.upload = (await bucketOf(admin).upload(path, png("picture"), { cacheControl: "60" })).data?.path === path;
const duplicate = (await bucketOf(admin).upload(path, png("other"))).error as { status?: number; statusCode?: string };
said.duplicate = [duplicate.status, duplicate.statusCode];
const refused = (await bucketOf(app).upload(`${userId}/mine.png`, png("mine"))).error as { statusCode?: string };
said.uploadAsUser = refused.statusCode;
said.download = await (await bucketOf(app).download(path)).data?.text();
const signed = (await bucketOf(app).createSignedUrl(path, 60)).data!.signedUrl;
const response = await fetch(signed);
said.signed = [await response.text(), response.headers.get("content-type"), response.headers.get("cache-control")];
const many = (await bucketOf(app).createSignedUrls([path, "other/0.png"], 60)).data!;
said.signedMany = many.map((link) => link.signedUrl !== null && link.error === null);
said.downloadByStranger = (await bucketOf(stranger).download(path)).error?.name;
said.removeByUser = (await bucketOf(app).remove([path])).data;
said.remove = (await bucketOf(admin).remove([path])).data?.length;

const withToken = (token: string) => create(publishable, { accessToken: () => Promise.resolve(token) });
said.forged = (await withToken(`${refreshed.access_token.slice(0, -4)}AAAA`).from("jobs").select("id")).status;
said.secretKeyIsService = (await admin.from("entitlements").select("user_id").eq("user_id", userId)).data?.length;
said.publishableKeyIsAnon = (await create().from("entitlements").select()).status;
await app.auth.signOut();
said.refreshAfterSignOut = (await create().auth.refreshSession(refreshed)).error?.code;

console.log(JSON.stringify(said));
