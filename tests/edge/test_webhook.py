"""A webhook wakes a job only if the provider signed exactly these bytes a short while ago."""

import base64
import hashlib
import hmac
import json
import random
import socket
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from tests.edge import functions
from tests.edge.backend import Backend
from tests.edge.conftest import API_KEYS, StandIn
from tests.edge.refusals import code_of
from tests.support import deno
from tests.support.jobs import Jobs
from tests.support.waiting import wait_until

JOB = "5c1fe2f6-6f0e-4a84-9b3e-0b1a4d0f7a55"
PREDICTION = "gm3qorzdhgbfurvjtvhg6dckhu"
BODY = json.dumps({"id": PREDICTION, "status": "succeeded", "output": ["https://example.com/1.png"]}).encode()
NAME = "provider_webhook"
LIMIT = 2 * 1024 * 1024

Tally = Counter[tuple[str, str]]


def signed(
    secret: bytes, body: bytes = BODY, *, at: float | None = None, number: str = "msg_1"
) -> dict[str, str]:
    """The headers of a webhook, as Replicate documents them."""
    timestamp = str(int(time.time() if at is None else at))
    signature = hmac.digest(secret, f"{number}.{timestamp}.".encode() + body, hashlib.sha256)
    return {
        "webhook-id": number,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{base64.b64encode(signature).decode()}",
        "content-type": "application/json",
    }


def token(key: str, job: object) -> str:
    """The token that a worker with this key puts into the address of the job's webhook."""
    digest = hmac.digest(key.encode(), f"provider_webhook:{job}".encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def address(job: object, key: str = API_KEYS["secret"]) -> dict[str, str]:
    return {"job": str(job), "token": token(key, job)}


def send(
    stand_in: StandIn, http: httpx.Client, headers: dict[str, str], body: bytes = BODY, job: str = JOB
) -> httpx.Response:
    return http.post(stand_in.gate.url(NAME), params=address(job), headers=headers, content=body)


def test_a_signed_webhook_wakes_its_job(stand_in: StandIn, http: httpx.Client) -> None:
    answer = send(stand_in, http, signed(stand_in.webhook_secret))
    assert (answer.status_code, answer.content) == (202, b"")
    (call,) = stand_in.api.calls
    told = {"p_id": JOB, "p_provider_ref": PREDICTION, "p_is_final": True}
    assert (call.path, call.body) == ("/rest/v1/rpc/wake_job", told)
    # A secret key is not a token: it is sent only in the header that the platform reads.
    assert call.headers["apikey"] == API_KEYS["secret"]
    assert "authorization" not in call.headers


@pytest.mark.parametrize("status", ["starting", "processing"])
def test_work_that_has_only_begun_is_told_as_such(stand_in: StandIn, http: httpx.Client, status: str) -> None:
    body = json.dumps({"id": PREDICTION, "status": status}).encode()
    assert send(stand_in, http, signed(stand_in.webhook_secret, body), body).status_code == 202
    assert stand_in.api.calls[0].body["p_is_final"] is False


def test_a_webhook_makes_a_waiting_job_due_however_often_it_comes(
    backend: Backend, http: httpx.Client, jobs: Jobs
) -> None:
    job_id = jobs.enqueue()
    jobs.move(job_id, status="'running'", attempt=1, lease_expires_at="now()", submitted_at="now()")
    jobs.move(job_id, status="'waiting'", lease_expires_at="null", run_at="now() + interval '1 hour'")
    headers = signed(backend.webhook_secret)
    for job in (job_id, job_id, uuid.uuid4()):  # the last one does not exist
        params = address(job, backend.stack.secret_key)
        answer = http.post(backend.gate.url(NAME), params=params, headers=headers, content=BODY)
        assert answer.status_code == 202
    row = jobs.get(job_id)
    assert (row["status"], row["run_at"], row["provider_ref"]) == ("waiting", None, PREDICTION)


def test_a_replay_is_accepted_again(stand_in: StandIn, http: httpx.Client) -> None:
    headers = signed(stand_in.webhook_secret)
    assert [send(stand_in, http, headers).status_code for _ in range(3)] == [202] * 3


@pytest.mark.parametrize("seconds", [-290, 290])
def test_clocks_may_differ_a_little(stand_in: StandIn, http: httpx.Client, seconds: int) -> None:
    headers = signed(stand_in.webhook_secret, at=time.time() + seconds)
    assert send(stand_in, http, headers).status_code == 202


def test_one_good_signature_among_several_is_enough(stand_in: StandIn, http: httpx.Client) -> None:
    headers = signed(stand_in.webhook_secret)
    old = signed(b"the secret before")["webhook-signature"]
    for signatures in (
        f"{old} {headers['webhook-signature']}",
        f"v1a,xyz {headers['webhook-signature']} {old}",
    ):
        assert send(stand_in, http, {**headers, "webhook-signature": signatures}).status_code == 202


def forged(secret: bytes) -> Iterator[tuple[str, dict[str, str], bytes]]:
    good = signed(secret)
    signature = good["webhook-signature"]
    for name in ("webhook-id", "webhook-timestamp", "webhook-signature"):
        yield "unsigned webhook", {**good, name: ""}, BODY
        yield "unsigned webhook", {key: value for key, value in good.items() if key != name}, BODY
    yield "unsigned webhook", {}, BODY

    now = time.time()
    for at in (now - 310, now + 310, now - 86_400, 0, now * 1000):
        yield "stale webhook", signed(secret, at=at), BODY
    for timestamp in ("-1", "now", "1e9", "0x5", "NaN", f"{now}", f"{int(now)} 1", "9" * 30):
        yield "stale webhook", {**good, "webhook-timestamp": timestamp}, BODY

    for other in (b"", b"another secret", secret[:-1], secret + b"x", base64.b64encode(secret)):
        yield "forged webhook", signed(other), BODY
    for body in (b"", BODY + b" ", BODY[:-1], BODY.replace(b"succeeded", b"Succeeded"), b"{}"):
        yield "forged webhook", good, body
    yield "forged webhook", {**good, "webhook-id": "msg_2"}, BODY
    yield "forged webhook", {**good, "webhook-timestamp": str(int(good["webhook-timestamp"]) - 1)}, BODY
    yield "forged webhook", {**good, "webhook-signature": " ".join(["v1,AAAA"] * 1000 + [signature])}, BODY
    for changed in ("v2", "v1a", "V1", "v1 ", "v1=", ""):
        yield "forged webhook", {**good, "webhook-signature": signature.replace("v1", changed, 1)}, BODY
    for changed in (
        "v1,",
        "v1,=",
        "v1,%",
        signature[:-4],
        signature[:20],
        signature + "AAAA",
        signature.replace(",", ";"),
    ):
        yield "forged webhook", {**good, "webhook-signature": changed}, BODY

    choose = random.Random(2)
    # The last character is left out: two of its bits mean nothing.
    for place in range(len("v1,"), len(signature) - 2):
        other_letter = choose.choice([letter for letter in "ABCDwxyz0189" if letter != signature[place]])
        mutated = signature[:place] + other_letter + signature[place + 1 :]
        yield "forged webhook", {**good, "webhook-signature": mutated}, BODY


def test_a_webhook_that_the_provider_did_not_sign_wakes_nothing(
    stand_in: StandIn, http: httpx.Client, tally: Tally
) -> None:
    for kind, headers, body in forged(stand_in.webhook_secret):
        answer = send(stand_in, http, headers, body)
        assert (answer.status_code, code_of(answer)) == (401, "unauthenticated"), (kind, headers)
        tally[NAME, kind] += 1
    assert stand_in.api.calls == []


def test_a_webhook_that_was_changed_on_the_way_wakes_nothing(
    stand_in: StandIn, http: httpx.Client, tally: Tally
) -> None:
    choose = random.Random(6)
    headers = signed(stand_in.webhook_secret)
    for _ in range(1000):
        body = bytearray(BODY)
        body[choose.randrange(len(body))] ^= 1 << choose.randrange(8)
        answer = send(stand_in, http, headers, bytes(body))
        assert (answer.status_code, code_of(answer)) == (401, "unauthenticated"), body
        tally[NAME, "mutated webhook"] += 1
    assert stand_in.api.calls == []


NOT_PREDICTIONS: list[Any] = [
    None, True, 0, 1.5, [], {}, "", " ", "a b", "a/b", "é", "a\x00", "x" * 101, "' or 1=1 --", [PREDICTION],
]  # fmt: skip
NOT_BODIES = [
    b"", b"null", b"[]", b'"x"', b"{}", b"{", BODY[:-1], b"\xff\xfe", b"[" * 100_000, BODY.decode().encode("utf-16"),
]  # fmt: skip
NOT_JOBS = ["", "x", "*", f"{JOB},{JOB}", f"eq.{JOB}", f"{JOB}'", JOB[:-1], f"{JOB}\n", "' or 1=1"]


def malformed() -> Iterator[tuple[str, bytes]]:
    for value in NOT_PREDICTIONS:
        yield JOB, json.dumps({"id": value}).encode()
    for body in NOT_BODIES:
        yield JOB, body
    for job in NOT_JOBS:
        yield job, BODY


def test_a_signed_webhook_must_make_sense(stand_in: StandIn, http: httpx.Client, tally: Tally) -> None:
    for job, body in malformed():
        answer = send(stand_in, http, signed(stand_in.webhook_secret, body), body, job)
        assert (answer.status_code, code_of(answer)) == (400, "invalid_request"), (job, body[:80])
        tally[NAME, "signed nonsense"] += 1
    assert stand_in.api.calls == []


def test_a_webhook_of_one_job_is_none_of_another_job(
    stand_in: StandIn, http: httpx.Client, tally: Tally
) -> None:
    """The provider signs only the body, so the address needs a signature of its own."""
    headers = signed(stand_in.webhook_secret)
    other = str(uuid.uuid4())
    good = token(API_KEYS["secret"], JOB)
    for params in (
        {"job": other, "token": good},
        {"job": JOB},
        *(
            {"job": JOB, "token": bad}
            for bad in ("", "=", "%", good[:-1], good[1:], good.swapcase(), good * 2)
        ),
        {"job": JOB, "token": token("sb_publishable_stand_in", JOB)},
        {"job": JOB, "token": token("", JOB)},
    ):
        answer = http.post(stand_in.gate.url(NAME), params=params, headers=headers, content=BODY)
        assert (answer.status_code, code_of(answer)) == (401, "unauthenticated"), params
        tally[NAME, "address of another job"] += 1
    assert stand_in.api.calls == []
    answer = http.post(
        stand_in.gate.url(NAME), params={"job": JOB.upper(), "token": good}, headers=headers, content=BODY
    )
    assert answer.status_code == 202


@pytest.fixture
def rotating(stand_in: StandIn) -> Iterator[tuple[str, bytes, bytes]]:
    """The address of a function with two secrets and two keys, and the secrets."""
    old, new = b"the secret before", b"the secret from now on"
    environment = functions.function_environment(stand_in.api.url, stand_in.issuer, API_KEYS, new)
    both = (f"whsec_{base64.b64encode(each).decode()}" for each in (new, old))
    environment["REPLICATE_WEBHOOK_SECRET"] = " ".join(both)
    environment["SUPABASE_SECRET_KEYS"] = json.dumps(
        {"default": API_KEYS["secret"], "before": "sb_secret_old"}
    )
    with deno.process(functions.FUNCTIONS / NAME / "index.ts", environment) as origin:
        yield f"{origin}/{NAME}", new, old


def test_the_new_and_the_old_secret_are_good_while_they_rotate(
    rotating: tuple[str, bytes, bytes], http: httpx.Client
) -> None:
    url, new, old = rotating
    good = address(JOB), address(JOB, "sb_secret_old")
    statuses = {
        (secret, params["token"]): http.post(
            url, params=params, headers=signed(secret), content=BODY
        ).status_code
        for secret in (new, old, b"a third", new + old)
        for params in good
    }
    assert [*statuses.values()] == [202, 202, 202, 202, 401, 401, 401, 401]


@pytest.mark.parametrize("setting", ["", "whsec_", "whsec_%", "whsec_AAAA whsec_%"])
def test_a_secret_that_is_none_is_our_failure_and_opens_nothing(
    stand_in: StandIn, http: httpx.Client, setting: str
) -> None:
    environment = functions.function_environment(stand_in.api.url, stand_in.issuer, API_KEYS, b"")
    environment["REPLICATE_WEBHOOK_SECRET"] = setting
    with deno.process(functions.FUNCTIONS / NAME / "index.ts", environment) as origin:
        answer = http.post(f"{origin}/{NAME}", params=address(JOB), headers=signed(b""), content=BODY)
    assert (answer.status_code, code_of(answer)) == (503, "unavailable")


def heads(stand_in: StandIn) -> Iterator[tuple[str, dict[str, str], dict[str, str]]]:
    good = signed(stand_in.webhook_secret)
    yield "no address", {"job": JOB}, good
    yield "address of another job", {**address(uuid.uuid4()), "job": JOB}, good
    yield "stale", address(JOB), signed(stand_in.webhook_secret, at=time.time() - 400)
    yield "no signature", address(JOB), {**good, "webhook-signature": "v1,"}
    yield "no timestamp", address(JOB), {**good, "webhook-timestamp": "now"}


@pytest.mark.parametrize("length", ["Content-Length: 10000000", "Transfer-Encoding: chunked"])
def test_a_webhook_with_a_wrong_head_is_refused_before_a_byte_of_its_body_is_read(
    stand_in: StandIn, length: str
) -> None:
    """The body is never sent, so an answer shows that the function did not wait for it."""
    for kind, params, headers in heads(stand_in):
        lines = [f"POST /{NAME}?{urlencode(params)} HTTP/1.1", "Host: x", length]
        lines += [f"{key}: {value}" for key, value in headers.items()]
        with socket.create_connection(stand_in.gate.address(NAME), timeout=5) as connection:
            connection.sendall("\r\n".join([*lines, "", ""]).encode())
            assert connection.recv(12) == b"HTTP/1.1 401", kind


def test_bodies_that_are_under_way_at_once_are_bounded(stand_in: StandIn, http: httpx.Client) -> None:
    headers = signed(stand_in.webhook_secret)
    lines = [f"POST /{NAME}?{urlencode(address(JOB))} HTTP/1.1", "Host: x", f"Content-Length: {LIMIT}"]
    head = "\r\n".join([*lines, *(f"{key}: {value}" for key, value in headers.items()), "", ""]).encode()
    with ExitStack() as stack:

        def one_more_is_too_many() -> bool:
            slow = stack.enter_context(socket.create_connection(stand_in.gate.address(NAME), timeout=30))
            slow.sendall(head + b"{")
            return send(stand_in, http, headers).status_code == 503

        wait_until(one_more_is_too_many, "the bound")
        answer = send(stand_in, http, headers)
        assert (code_of(answer), answer.headers["retry-after"]) == ("unavailable", "2")
    wait_until(lambda: send(stand_in, http, headers).status_code == 202, "room again")


def test_a_prediction_may_be_large_but_not_endless(
    stand_in: StandIn, http: httpx.Client, tally: Tally
) -> None:
    limit = LIMIT
    body = b'{"id": "%s", "output": "%s"}' % (PREDICTION.encode(), b"x" * (limit - 60))
    assert send(stand_in, http, signed(stand_in.webhook_secret, body), body).status_code == 202
    for size in (limit + 1, limit * 2):
        answer = send(stand_in, http, signed(stand_in.webhook_secret), b" " * size)
        assert (answer.status_code, code_of(answer)) == (413, "too_large")
        tally[NAME, "huge body"] += 1
    assert len(stand_in.api.calls) == 1
