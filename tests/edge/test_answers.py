"""Every method and path gets a sensible answer; warm and invalid calls never reach the database."""

from collections import Counter

import httpx
import pytest

from tests.edge.conftest import StandIn
from tests.edge.functions import NAMES
from tests.edge.raw_http import answers
from tests.edge.refusals import code_of

ALLOWED = {
    "ping": "GET, HEAD, OPTIONS",
    "enqueue_generation": "POST, OPTIONS",
    "get_job_status": "GET, OPTIONS",
    "provider_webhook": "POST, OPTIONS",
    "purchase_webhook": "POST, OPTIONS",
}
SENT_BY_SUPABASE_JS = {
    "authorization", "x-client-info", "apikey", "content-type", "x-retry-count", "traceparent", "tracestate", "baggage",
}  # fmt: skip

Tally = Counter[tuple[str, str]]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_ping_is_answered_without_a_body(stand_in: StandIn, http: httpx.Client, method: str) -> None:
    answer = http.request(method, stand_in.gate.url("ping"))
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["cache-control"] == "no-store"
    assert stand_in.api.calls == []


@pytest.mark.parametrize("name", NAMES)
def test_options_warms_and_lets_a_web_app_call(stand_in: StandIn, http: httpx.Client, name: str) -> None:
    preflight = {"Origin": "http://localhost:8081", "Access-Control-Request-Method": "POST"}
    answer = http.options(stand_in.gate.url(name), headers=preflight)
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["access-control-allow-methods"] == ALLOWED[name]
    assert set(answer.headers["access-control-allow-headers"].split(", ")) >= SENT_BY_SUPABASE_JS
    assert stand_in.api.calls == []


@pytest.mark.parametrize("name", NAMES)
def test_a_method_that_is_not_allowed_is_told_which_are(
    stand_in: StandIn, http: httpx.Client, name: str, tally: Tally
) -> None:
    for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"):
        if method in ALLOWED[name]:
            continue
        answer = http.request(method, stand_in.gate.url(name))
        assert (answer.status_code, answer.headers["allow"]) == (405, ALLOWED[name])
        assert method == "HEAD" or code_of(answer) == "method_not_allowed"
        tally[name, "method"] += 1
    assert stand_in.api.calls == []


@pytest.mark.parametrize("name", NAMES)
def test_another_path_is_not_found(stand_in: StandIn, http: httpx.Client, name: str, tally: Tally) -> None:
    origin = stand_in.gate.origins[name]
    paths = [
        "",
        "/",
        "//",
        f"/{name}/",
        f"/{name}/x",
        f"//{name}",
        f"/{name}%00",
        f"/{name}%2f",
        f"/{name.upper()}",
    ]
    paths += [
        "/favicon.ico",
        f"/x/{name}",
        f"/{name}/../../etc/passwd",
        f"/functions/v1/{name}",
        "/%ff",
        "/.env",
    ]
    for path in paths:
        answer = http.post(origin + path)
        assert (answer.status_code, code_of(answer)) == (404, "not_found"), path
        tally[name, "path"] += 1
    assert stand_in.api.calls == []


BROKEN_HTTP = [
    b"garbage\r\n\r\n",
    b"GET\r\n\r\n",
    b"GET / HTTP/9.9\r\n\r\n",
    b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /ping HTTP/1.1\r\nHost: x\r\n no name: x\r\n\r\n",
    b"get /ping HTTP/1.1\r\nHost: x\r\n\r\n",
    b"constructor /ping HTTP/1.1\r\nHost: x\r\n\r\n",  # a property of every JavaScript object
    b"__proto__ /ping HTTP/1.1\r\nHost: x\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
    b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"POST /ping HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    b"POST /ping HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
    b"POST /ping HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /ping HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 1_000_000 + b"\r\n\r\n",
    b"GET /ping HTTP/1.1\r\nHost: x\r\n" + b"".join(b"X-%d: x\r\n" % n for n in range(1000)) + b"\r\n",
]


@pytest.mark.parametrize("name", NAMES)
def test_malformed_http_is_a_bad_request(stand_in: StandIn, name: str, tally: Tally) -> None:
    for request in BROKEN_HTTP:
        for status, _ in answers(stand_in.gate.address(name), request.replace(b"/ping", f"/{name}".encode())):
            assert 400 <= status < 500, request[:80]
        tally[name, "broken HTTP"] += 1
    assert stand_in.api.calls == []


@pytest.mark.parametrize("host", ["a b", "[::", "http://", "x/y?z#", "@", "a@b:c", "%", "\u00e9", "x" * 5000])
def test_a_forged_host_changes_nothing(stand_in: StandIn, host: str, tally: Tally) -> None:
    request = f"GET /ping HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
    for status, _ in answers(stand_in.gate.address("ping"), request):
        assert status in (204, 400, 404)
    tally["ping", "broken HTTP"] += 1
