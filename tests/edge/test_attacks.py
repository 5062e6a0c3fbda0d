"""Hostile requests get sensible answers, never make the database fail, and cost no credit."""

import json
import random
import uuid
from collections import Counter

import pytest

from tests.edge import attacks
from tests.edge.raw_http import answers
from tests.edge.refusals import code_of
from tests.edge.user import TappingUser

Tally = Counter[tuple[str, str]]
ENQUEUE, STATUS = "enqueue_generation", "get_job_status"


def test_malformed_requests_are_refused(user: TappingUser, tally: Tally) -> None:
    for kind, body in attacks.malformed():
        answer = user.enqueue(body)
        assert (answer.status_code, code_of(answer)) == (400, "invalid_request"), (kind, body[:200])
        tally[ENQUEUE, kind] += 1


def test_large_requests_are_refused(user: TappingUser, tally: Tally) -> None:
    for kind, body in attacks.too_large():
        # The body is sent with its length announced, and in chunks.
        for sent in (body, iter([body[:1000], body[1000:]])):
            answer = user.enqueue(sent)
            assert (answer.status_code, code_of(answer)) == (413, "too_large"), (kind, len(body))
            tally[ENQUEUE, kind] += 1


def test_a_body_announced_too_large_is_not_waited_for(user: TappingUser, tally: Tally) -> None:
    head = f"POST /{ENQUEUE} HTTP/1.1\r\nHost: x\r\nAuthorization: {user.headers['Authorization']}\r\n"
    for length in (65_537, 10**9, 10**15):
        request = f"{head}Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
        assert [status for status, _ in answers(user.backend.gate.address(ENQUEUE), request.encode())] == [
            413
        ]
        tally[ENQUEUE, "huge body"] += 1


def test_other_content_types_are_refused(user: TappingUser, tally: Tally) -> None:
    for content_type in attacks.CONTENT_TYPES:
        answer = user.enqueue(attacks.with_input('{"prompt": "a"}'), content_type)
        assert (answer.status_code, code_of(answer)) == (415, "invalid_request"), content_type
        tally[ENQUEUE, "content type"] += 1


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-8", "Application/JSON", "application/json ;x"]
)
def test_json_by_another_spelling_is_accepted(user: TappingUser, content_type: str) -> None:
    assert user.enqueue(attacks.with_input('{"prompt": "a"}'), content_type).status_code == 202


def test_odd_requests_are_accepted(user: TappingUser, tally: Tally) -> None:
    for kind, body in attacks.odd_but_good():
        answer = user.enqueue(body)
        assert answer.status_code == 202, (kind, body, answer.text)
        tally[ENQUEUE, kind] += 1


def test_an_input_that_only_the_model_refuses_passes_the_gate(user: TappingUser, tally: Tally) -> None:
    for kind, body in attacks.odd_for_the_model():
        answer = user.enqueue(body)
        said = answer.json()["error"]["message"]
        assert answer.status_code == 400, (kind, body, answer.text)
        assert said.startswith(("This model does not take ", '"prompt" is missing')), (kind, body, said)
        tally[ENQUEUE, kind] += 1


def test_models_that_do_not_exist_are_unknown_or_no_models(user: TappingUser, tally: Tally) -> None:
    for text in ("x", "PREVIEW", "preview.", "owner/model:1", "x" * 100, *attacks.INJECTIONS):
        answer = user.enqueue(json.dumps(attacks.request(model=text)).encode())
        assert (answer.status_code, code_of(answer)) in [(404, "unknown_model"), (400, "invalid_request")], (
            text
        )
        tally[ENQUEUE, "SQL or operators"] += 1


def test_mutated_requests_are_accepted_or_refused(user: TappingUser, tally: Tally) -> None:
    for body in attacks.mutated(random.Random(4), 1500):
        answer = user.enqueue(body)
        assert answer.status_code == 202 or code_of(answer) in ("invalid_request", "unknown_model"), body
        tally[ENQUEUE, "mutated request"] += 1


def test_ids_that_are_none_are_refused(user: TappingUser, tally: Tally) -> None:
    for kind, ids in attacks.ids():
        answer = user.get_status(ids=ids)
        assert (answer.status_code, code_of(answer)) == (400, "invalid_request"), (kind, ids)
        tally[STATUS, kind] += 1


def test_ten_thousand_ids_are_refused(user: TappingUser, tally: Tally) -> None:
    ids = ",".join([str(uuid.uuid4())] * 10_000)
    request = f"GET /{STATUS}?ids={ids} HTTP/1.1\r\nHost: x\r\nAuthorization: {user.headers['Authorization']}\r\n\r\n"
    for status, _ in answers(user.backend.gate.address(STATUS), request.encode()):
        assert 400 <= status < 500  # by Deno itself, which limits the length of an address
    tally[STATUS, "too many ids"] += 1


@pytest.mark.parametrize(
    "query", ["", "ids", "ids=", "id={}", "ids[]={}", "IDS={}", "ids={}&ids=", "p_ids={}"]
)
def test_a_query_without_ids_is_refused(user: TappingUser, query: str, tally: Tally) -> None:
    url = f"{user.backend.gate.url(STATUS)}?{query.format(uuid.uuid4())}"
    answer = user.http.get(url, headers=user.headers)
    assert (answer.status_code, code_of(answer)) == (400, "invalid_request")
    tally[STATUS, "wrong type or value"] += 1


def test_up_to_fifty_ids_are_answered_for(user: TappingUser) -> None:
    mine = [user.enqueue(attacks.with_input('{"prompt": "a"}')).json()["job"]["id"] for _ in range(3)]
    ids = [*mine, mine[0].upper(), *(str(uuid.uuid4()) for _ in range(46))]
    answer = user.get_status(ids=",".join(ids))
    assert answer.status_code == 200
    assert sorted(job["id"] for job in answer.json()["jobs"]) == sorted(mine)
