// Reads jobs with the real supabase-js, whole and by column.
// Prints the results as one JSON object.
import { createClient } from "npm:@supabase/supabase-js@2.119.1";

const [url, publishable] = Deno.args;
const app = createClient(url, publishable, { auth: { persistSession: false, autoRefreshToken: false } });
await app.auth.signInAnonymously();
const id = crypto.randomUUID();
await app.rpc("enqueue_generation", { p_id: id, p_model: "preview", p_input: { prompt: "a fox" } });

const read = (columns: string) => app.from("jobs").select(columns).eq("id", id).single();
const ofApp = "id, model:model_id, input, status, progress, created_at, updated_at";
const readable = "id, user_id, model_id, input, status, cost, progress, error_code, error_message, " +
  "created_at, started_at, finished_at, updated_at";
const hidden = ["rank", "fence", "attempt", "run_at", "dispatched_at", "lease_expires_at", "provider_ref"];

const whole = await read("*");
const answers = await Promise.all(hidden.map(async (column) => [column, (await read(column)).error?.code]));
console.log(JSON.stringify({
  whole: { status: whole.status, data: whole.data, ...whole.error },
  ofApp: Object.keys((await read(ofApp)).data ?? {}),
  readable: Object.keys((await read(readable)).data ?? {}),
  hidden: Object.fromEntries(answers),
  filtered: (await app.from("jobs").select("id").eq("fence", 0)).error?.code,
}));
