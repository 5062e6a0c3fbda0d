/** Compared with: the least a function can be. */

Deno.serve(() => new Response(null, { status: 204 }));
