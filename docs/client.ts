// The whole client contract, from the tap to the picture, for an app that is not built with `app/`.
// deno run --allow-net --allow-env docs/client.ts <url> <publishable key> <prompt>
import { createClient } from "npm:@supabase/supabase-js@2.119.1";

const [url, publishableKey, prompt] = Deno.args;
const supabase = createClient(url, publishableKey);
const draw = (card: Record<string, unknown>) => console.log(JSON.stringify(card));

const user = (await supabase.auth.signInAnonymously()).data.user!;
const request = { id: crypto.randomUUID(), model: "preview", input: { prompt } };
draw({ ...request, status: "sending" }); // the placeholder: drawn before any answer

const news = supabase.channel(`user:${user.id}`, { config: { private: true } });
news.on("broadcast", { event: "job" }, ({ payload }) => show(payload));
news.subscribe(async (status) => {
  if (status !== "SUBSCRIBED") return; // poll get_job_status until it is
  // Repeat it until it is answered: the same id is the same job, charged at most once.
  await supabase.functions.invoke("enqueue_generation", { body: request });
  // The channel does not send jobs that ended before the join, so read them.
  const call = `get_job_status?ids=${request.id}`;
  const { data } = await supabase.functions.invoke(call, { method: "GET" });
  data.jobs.forEach(show);
});

async function show(job: { status: string; generation: { output: { path: string }[] | null } | null }) {
  const path = job.generation?.output?.[0].path;
  const pictures = supabase.storage.from("generations");
  draw({ ...job, picture: path && (await pictures.createSignedUrl(path, 3600)).data?.signedUrl });
  if (job.generation) Deno.exit(); // an app goes on listening
}
