"""The allowed content of a refusal: the one error shape, and no internals."""

import re
from typing import Any

import httpx

# Words of the database, the runtime and our own source, which a caller must not see.
INSIDE = re.compile(
    r"postgres|PGRST|sqlstate|relation|constraint|plpgsql|schema|stack|\bat |\.ts\b|file:|/rest/v1|127\.0\.0\.1"
    r"|sb_secret|sb_publishable|SUPABASE|TypeError|SyntaxError|Deno|undefined|\[object",
    re.IGNORECASE,
)


def code_of(answer: httpx.Response) -> str:
    """Return the code of a refusal, after a check of its form."""
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cache-control"] == "no-store"
    body: dict[str, Any] = answer.json()
    assert body.keys() == {"error"}, body
    assert body["error"].keys() == {"code", "message"}, body
    code: str = body["error"]["code"]
    message: str = body["error"]["message"]
    assert re.fullmatch(r"[a-z_]+", code), body
    assert message and not INSIDE.search(message), body
    assert not INSIDE.search("".join(answer.headers.values())), answer.headers
    if answer.status_code >= 500:
        assert (answer.status_code, code) == (503, "unavailable"), body
    if answer.status_code in (429, 503):
        assert answer.headers["retry-after"].isdigit()
    return code
