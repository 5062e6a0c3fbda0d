"""Mutated bytes of a request get a sensible answer or a closed connection; no function crashes."""

import json
import random
import uuid
from collections import Counter

import pytest

from tests.edge import attacks
from tests.edge.functions import NAMES
from tests.edge.raw_http import answers
from tests.edge.user import TappingUser

READS = ("ping", "get_job_status")


@pytest.mark.parametrize("name", NAMES)
def test_mutated_http_is_answered_or_hung_up_on(
    user: TappingUser, name: str, tally: Counter[tuple[str, str]]
) -> None:
    choose = random.Random(5)
    for _ in range(1500):
        sent = mutated(choose, good(user, name))
        for status, body in answers(user.backend.gate.address(name), sent):
            assert status < 500, (sent, body)
            if status == 202 and name == "enqueue_generation":
                assert json.loads(body)["job"]["id"] in user.jobs()
        tally[name, "mutated HTTP"] += 1
    # A client that disconnects loses the answer, not the job.
    user.accepted = user.jobs()


def good(user: TappingUser, name: str) -> bytes:
    body = b"" if name in READS else attacks.with_input('{"prompt": "a fox"}')
    lines = [
        f"{'GET' if name in READS else 'POST'} /{name}?ids={uuid.uuid4()}&job={uuid.uuid4()} HTTP/1.1",
        "Host: 127.0.0.1",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        *(f"{key}: {value}" for key, value in user.headers.items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


def mutated(choose: random.Random, request: bytes) -> bytes:
    changed = bytearray(request)
    for _ in range(choose.randint(1, 5)):
        place = choose.randrange(len(changed))
        changed[place : place + choose.randint(0, 3)] = choose.randbytes(choose.randint(0, 3))
    return bytes(changed)
