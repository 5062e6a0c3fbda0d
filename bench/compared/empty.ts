/** For comparison: the smallest possible function. */

Deno.serve(() => new Response(null, { status: 204 }));
