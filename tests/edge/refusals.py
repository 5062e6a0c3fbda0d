"""What a refusal may say: the one error shape, and nothing of the inside."""

import re
from typing import Any

import httpx

# Words of the database, of the runtime and of our own source that a caller has no business to read.
INSIDE = re.compile(
    r"postgres|PGRST|sqlstate|relation|constraint|plpgsql|schema|stack|\bat |\.ts\b|file:|/rest/v1|127\.0\.0\.1"
    r"|sb_secret|sb_publishable|SUPABASE|TypeError|SyntaxError|Deno|undefined|\[object",
    re.IGNORECASE,
)


def code_of(answer: httpx.Response) -> str:
    """The code of a well-formed refusal."""
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
