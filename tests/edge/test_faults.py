"""When a server behind the gate fails, a caller learns at once to retry, and nothing else."""

import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from tests.edge import functions, test_purchase_webhook
from tests.edge.conftest import API_KEYS, StandIn
from tests.edge.data_api import Exchange
from tests.edge.functions import Gate
from tests.edge.refusals import code_of
from tests.edge.test_tokens import REQUESTS
from tests.edge.test_webhook import BODY, JOB, address, signed
from tests.edge.tokens import Issuer

CALLS_THE_DATABASE = ("enqueue_generation", "get_job_status", "provider_webhook", "purchase_webhook")


def call(name: str, gate: Gate, issuer: Issuer, webhook_secret: bytes) -> httpx.Response:
    """Send a valid request."""
    headers = {"Authorization": f"Bearer {issuer.token()}"}
    request: dict[str, Any] = {"headers": headers, **REQUESTS.get(name, {})}
    if name == "provider_webhook":
        request = {
            "method": "POST",
            "params": address(JOB),
            "headers": signed(webhook_secret),
            "content": BODY,
        }
    elif name == "purchase_webhook":
        headers = test_purchase_webhook.signed(webhook_secret)
        request = {"method": "POST", "headers": headers, "content": test_purchase_webhook.BODY}
    return httpx.request(url=gate.url(name), timeout=30, trust_env=False, **request)


def call_stand_in(name: str, stand_in: StandIn) -> httpx.Response:
    return call(name, stand_in.gate, stand_in.issuer, stand_in.webhook_secret)


def cut_off(exchange: Exchange) -> None:
    exchange.answer_raw(200, b'{"jobs": ', Content_Length="1000", Content_Type="application/json")
    exchange.hang_up()


def send_away(exchange: Exchange) -> None:
    if exchange.path == "/elsewhere":
        exchange.answer_well()
    else:
        exchange.answer(307, {}, Location="/elsewhere")


FAULTS: dict[str, Callable[[Exchange], None]] = {
    "hangs up": Exchange.hang_up,
    "breaks off": cut_off,
    "is restarting": lambda it: it.answer_raw(502, b"<html>Bad gateway: postgres at 10.0.0.1</html>"),
    "answers 500": lambda it: it.answer(500, {"message": "password authentication failed for user postgres"}),
    "answers without a body": lambda it: it.answer_raw(200, b""),
    "answers 204": lambda it: it.answer_raw(204, b""),
    "answers HTML": lambda it: it.answer_raw(200, b"<html>", Content_Type="text/html"),
    "answers half a JSON": lambda it: it.answer_raw(200, b'{"jobs": ['),
    "answers null": lambda it: it.answer(200, None),
    "answers something else": lambda it: it.answer(200, ["jobs"]),
    "sends away": send_away,
    "is unknown to itself": lambda it: it.answer(404, {"message": "no Route matched with those values"}),
    "rejects our API key": lambda it: it.answer(401, {"message": "Invalid API key"}),
    "has no such function": lambda it: it.refuse(404, "PGRST202", "Could not find the function public.x"),
    "has no connection": lambda it: it.refuse(503, "PGRST000", "Could not connect with the database"),
    "has no connection left": lambda it: it.refuse(504, "PGRST003", "Timed out acquiring connection"),
    "denies us": lambda it: it.refuse(403, "42501", "permission denied for function x"),
    "gives up waiting": lambda it: it.refuse(500, "57014", "canceling statement due to statement timeout"),
    "deadlocks": lambda it: it.refuse(500, "40P01", "deadlock detected"),
    "finds a broken constraint": lambda it: it.refuse(409, "23505", "duplicate key value in jobs_pkey"),
    "cannot read our arguments": lambda it: it.refuse(400, "22P02", "invalid input syntax for type uuid"),
    "fails in our words": lambda it: it.refuse(500, "internal", "a secret"),
    "wraps its refusal": lambda it: it.answer(400, [{"code": "invalid_request", "message": "a secret"}]),
    "has no words": lambda it: it.answer(400, {"code": None, "message": {"a": "secret"}}),
}


@pytest.mark.parametrize("name", CALLS_THE_DATABASE)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_database_that_fails_is_unavailable(stand_in: StandIn, name: str, fault: str) -> None:
    stand_in.api.behave = FAULTS[fault]
    answer = call_stand_in(name, stand_in)
    assert (answer.status_code, code_of(answer)) == (503, "unavailable")


@pytest.mark.parametrize("name", CALLS_THE_DATABASE)
def test_the_gate_recovers_with_the_database(stand_in: StandIn, name: str) -> None:
    stand_in.api.behave = Exchange.hang_up
    assert call_stand_in(name, stand_in).status_code == 503
    stand_in.api.behave = Exchange.answer_well
    assert call_stand_in(name, stand_in).status_code in (200, 202)


@pytest.fixture(scope="module")
def gate_to_nowhere() -> Iterator[tuple[Gate, Issuer]]:
    with socket.socket() as taken:  # bound but not listening: refuses connections
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        issuer = Issuer(url)
        with functions.serve(functions.function_environment(url, issuer, API_KEYS, b"secret")) as gate:
            yield gate, issuer


@pytest.mark.parametrize("name", CALLS_THE_DATABASE)
def test_a_gateway_that_is_down_is_unavailable(gate_to_nowhere: tuple[Gate, Issuer], name: str) -> None:
    gate, issuer = gate_to_nowhere
    answer = call(name, gate, issuer, b"secret")
    assert (answer.status_code, code_of(answer)) == (503, "unavailable")


@pytest.fixture(scope="module")
def gate_without_settings() -> Iterator[Gate]:
    with functions.serve({}) as gate:
        yield gate


@pytest.mark.parametrize("name", CALLS_THE_DATABASE)
def test_a_function_without_its_settings_is_unavailable(gate_without_settings: Gate, name: str) -> None:
    answer = call(name, gate_without_settings, Issuer("http://127.0.0.1"), b"secret")
    assert (answer.status_code, code_of(answer)) == (503, "unavailable")


def test_ping_and_warm_calls_need_nothing_behind_them(gate_without_settings: Gate) -> None:
    assert httpx.get(gate_without_settings.url("ping"), trust_env=False).status_code == 204
    for name in CALLS_THE_DATABASE:
        assert httpx.options(gate_without_settings.url(name), trust_env=False).status_code == 204


@pytest.mark.parametrize("name", ["enqueue_generation", "get_job_status"])
@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "invalid_request"),
        (401, "unauthenticated"),
        (402, "insufficient_credits"),
        (404, "unknown_model"),
        (409, "id_conflict"),
        (413, "too_large"),
        (422, "content_rejected"),
        (429, "too_many_jobs"),
        (429, "too_many_failures"),
        (503, "unavailable"),
    ],
)
def test_a_refusal_of_the_database_reaches_the_caller(
    stand_in: StandIn, name: str, status: int, code: str
) -> None:
    stand_in.api.behave = lambda it: it.refuse(status, code, "In words to show.", Retry_After="7")
    answer = call_stand_in(name, stand_in)
    assert (answer.status_code, code_of(answer)) == (status, code)
    assert answer.json()["error"]["message"] == "In words to show."
    assert answer.headers["retry-after"] == "7"


@pytest.mark.parametrize("code", ["PGRST301", "PGRST303"])
def test_a_token_that_expired_on_the_way_is_not_our_failure(stand_in: StandIn, code: str) -> None:
    stand_in.api.behave = lambda it: it.refuse(401, code, "JWT expired")
    answer = call_stand_in("get_job_status", stand_in)
    assert (answer.status_code, code_of(answer)) == (401, "unauthenticated")


def send_slowly(name: str, stand_in: StandIn) -> int:
    """The status for a client that announces a body, sends its first bytes and stalls."""
    headers = {"Authorization": f"Bearer {stand_in.issuer.token()}", **signed(stand_in.webhook_secret)}
    if name == "purchase_webhook":
        headers = test_purchase_webhook.signed(stand_in.webhook_secret)
    lines = [f"POST /{name}?{urlencode(address(JOB))} HTTP/1.1", "Host: x", "Content-Length: 100"]
    lines += [f"{key}: {value}" for key, value in headers.items()]
    with socket.create_connection(stand_in.gate.address(name), timeout=30) as connection:
        connection.sendall("\r\n".join([*lines, "", '{"id"']).encode())
        return int(connection.makefile("rb").readline().split()[1])


def test_no_sender_is_waited_for_without_end(stand_in: StandIn) -> None:
    done = threading.Event()

    def stall(exchange: Exchange) -> None:
        done.wait(30)
        exchange.hang_up()

    stand_in.api.behave = stall
    with ThreadPoolExecutor() as pool:
        stalled = [pool.submit(call_stand_in, name, stand_in) for name in CALLS_THE_DATABASE]
        slow = [
            pool.submit(send_slowly, name, stand_in)
            for name in ("enqueue_generation", "provider_webhook", "purchase_webhook")
        ]
        answers = [each.result() for each in stalled]
        done.set()
        assert [(answer.status_code, code_of(answer)) for answer in answers] == [(503, "unavailable")] * 4
        assert [each.result() for each in slow] == [408] * 3
