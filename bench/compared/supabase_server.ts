/**
 * For comparison: the gate of enqueue_generation on @supabase/server, which the template of
 * `supabase functions new` uses.
 */

import { withSupabase } from "@supabase/server";

Deno.serve(withSupabase({ auth: "user" }, async (request, { supabase }) => {
  const { id, model, input } = await request.json();
  const { data, error } = await supabase.rpc("enqueue_generation", { p_id: id, p_model: model, p_input: input });
  if (error) return Response.json({ error: { code: error.code, message: error.message } }, { status: 400 });
  return Response.json(data, { status: 202 });
}));
