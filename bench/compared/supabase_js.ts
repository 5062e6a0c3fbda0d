/** For comparison: the gate of enqueue_generation as it is usually written, on supabase-js. */

import { createClient } from "@supabase/supabase-js";
import { corsHeaders } from "@supabase/supabase-js/cors";

const { default: publishableKey } = JSON.parse(Deno.env.get("SUPABASE_PUBLISHABLE_KEYS")!);
const jwks = JSON.parse(Deno.env.get("SUPABASE_JWKS")!);

Deno.serve(async (request) => {
  if (request.method === "OPTIONS") return new Response(null, { status: 204, headers: corsHeaders });

  const authorization = request.headers.get("Authorization") ?? "";
  const supabase = createClient(Deno.env.get("SUPABASE_URL")!, publishableKey, {
    global: { headers: { Authorization: authorization } },
    auth: { persistSession: false, autoRefreshToken: false },
  });
  const user = await supabase.auth.getClaims(authorization.replace("Bearer ", ""), { jwks });
  if (user.error) return refuse(401, "unauthenticated", "Sign in first.");

  const { id, model, input } = await request.json();
  const { data, error } = await supabase.rpc("enqueue_generation", { p_id: id, p_model: model, p_input: input });
  if (error) return refuse(400, error.code, error.message);
  return Response.json(data, { status: 202, headers: corsHeaders });
});

function refuse(status: number, code: string, message: string): Response {
  return Response.json({ error: { code, message } }, { status, headers: corsHeaders });
}
