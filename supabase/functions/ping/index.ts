/** Wakes the function host; touches nothing else. */

import { answer, serve } from "../_shared/http.ts";

const awake = () => answer(204, null);

serve("ping", { GET: awake, HEAD: awake });
