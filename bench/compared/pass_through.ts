/**
 * For comparison: a gate that checks nothing and only forwards the request. Any function in front
 * of the database costs as much.
 */

Deno.serve(async (request) => {
  const { id, model, input } = await request.json();
  const answer = await fetch(`${Deno.env.get("SUPABASE_URL")}/rest/v1/rpc/enqueue_generation`, {
    method: "POST",
    headers: {
      apikey: request.headers.get("apikey") ?? "",
      Authorization: request.headers.get("Authorization") ?? "",
      "Content-Type": "application/json",
    },
    body: JSON.stringify({ p_id: id, p_model: model, p_input: input }),
  });
  return new Response(await answer.text(), { status: 202 });
});
