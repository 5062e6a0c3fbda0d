"""A webhook wakes a job only if the provider signed it, a short while ago, over exactly these bytes."""

import base64
import hashlib
import hmac
import json
import random
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.edge.backend import Backend
from tests.edge.conftest import API_KEYS, StandIn
from tests.edge.refusals import code_of
from tests.support.jobs import Jobs

JOB = "5c1fe2f6-6f0e-4a84-9b3e-0b1a4d0f7a55"
PREDICTION = "gm3qorzdhgbfurvjtvhg6dckhu"
BODY = json.dumps({"id": PREDICTION, "status": "succeeded", "output": ["https://example.com/1.png"]}).encode()
NAME = "provider_webhook"

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


def send(
    stand_in: StandIn, http: httpx.Client, headers: dict[str, str], body: bytes = BODY, job: str = JOB
) -> httpx.Response:
    return http.post(stand_in.gate.url(NAME), params={"job": job}, headers=headers, content=body)


def test_a_signed_webhook_wakes_its_job(stand_in: StandIn, http: httpx.Client) -> None:
    answer = send(stand_in, http, signed(stand_in.webhook_secret))
    assert (answer.status_code, answer.content) == (202, b"")
    (call,) = stand_in.api.calls
    told = {"p_id": JOB, "p_provider_ref": PREDICTION, "p_is_final": True}
    assert (call.path, call.body) == ("/rest/v1/rpc/wake_job", told)
    # A secret key is no token: it is sent where the platform looks for it, and nowhere else.
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
    for job in (job_id, job_id, uuid.uuid4()):  # the last one is nobody's
        answer = http.post(backend.gate.url(NAME), params={"job": str(job)}, headers=headers, content=BODY)
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
    for place in range(len("v1,"), len(signature) - 2):  # before the last: two of its bits mean nothing
        other_letter = choose.choice([letter for letter in "ABCDwxyz0189" if letter != signature[place]])
        mutated = signature[:place] + other_letter + signature[place + 1 :]
        yield "forged webhook", {**good, "webhook-signature": mutated}, BODY


def test_what_the_provider_did_not_sign_wakes_nothing(
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


def test_outputs_inside_a_webhook_may_be_large_but_not_endless(
    stand_in: StandIn, http: httpx.Client, tally: Tally
) -> None:
    limit = 10 * 1024 * 1024
    body = b'{"id": "%s", "output": "%s"}' % (PREDICTION.encode(), b"x" * (limit - 60))
    assert send(stand_in, http, signed(stand_in.webhook_secret, body), body).status_code == 202
    for size in (limit + 1, limit * 2):
        answer = send(stand_in, http, signed(stand_in.webhook_secret), b" " * size)
        assert (answer.status_code, code_of(answer)) == (413, "too_large")
        tally[NAME, "huge body"] += 1
    assert len(stand_in.api.calls) == 1
