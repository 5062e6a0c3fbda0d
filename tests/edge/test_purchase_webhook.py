"""An event of a store counts only if RevenueCat signed exactly these bytes a short while ago."""

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
import psycopg
import pytest

from tests.edge import functions
from tests.edge.attacks import INJECTIONS
from tests.edge.backend import Backend
from tests.edge.conftest import API_KEYS, StandIn
from tests.edge.functions import STORE_AUTHORIZATION
from tests.edge.refusals import code_of
from tests.edge.tokens import Issuer
from tests.edge.user import TappingUser
from tests.support import deno
from tests.support.store import ADD_PRODUCT, NOW, PACK, PRODUCTS, Event, period, purchase, refund

NAME = "purchase_webhook"
EVENT = purchase("1", NOW, uuid.uuid4(), "transaction-1")
BODY = json.dumps({"api_version": "1.0", "event": EVENT}).encode()
PURCHASES = "select sum(amount) from public.credit_entries where user_id = %s and reason like 'purchase%%'"

Tally = Counter[tuple[str, str]]


def signed(secret: bytes, body: bytes = BODY, *, at: float | None = None) -> dict[str, str]:
    """The headers of an event, as RevenueCat sends them with signing on.

    The key of the signature is the text of the secret, not decoded.
    """
    timestamp = int(time.time() if at is None else at)
    signature = hmac.digest(secret.hex().encode(), f"{timestamp}.".encode() + body, hashlib.sha256)
    return {
        "authorization": STORE_AUTHORIZATION,
        "x-revenuecat-webhook-signature": f"t={timestamp},v1={signature.hex()}",
        "content-type": "application/json",
    }


def body_of(event: object) -> bytes:
    return json.dumps({"api_version": "1.0", "event": event}).encode()


def send(
    stand_in: StandIn, http: httpx.Client, headers: dict[str, str], body: bytes = BODY
) -> httpx.Response:
    return http.post(stand_in.gate.url(NAME), headers=headers, content=body)


def test_an_event_reaches_the_database_whole(stand_in: StandIn, http: httpx.Client) -> None:
    answer = send(stand_in, http, signed(stand_in.webhook_secret))
    assert (answer.status_code, answer.json()) == (200, {"effect": "granted"})
    (call,) = stand_in.api.calls
    assert (call.path, call.body) == ("/rest/v1/rpc/record_purchase", {"p_event": EVENT})
    assert call.headers["apikey"] == API_KEYS["secret"]
    assert "authorization" not in call.headers


@pytest.mark.parametrize("seconds", [-290, 290])
def test_clocks_may_differ_a_little(stand_in: StandIn, http: httpx.Client, seconds: int) -> None:
    headers = signed(stand_in.webhook_secret, at=time.time() + seconds)
    assert send(stand_in, http, headers).status_code == 200


def test_one_good_signature_among_several_is_enough(stand_in: StandIn, http: httpx.Client) -> None:
    headers, name = signed(stand_in.webhook_secret), "x-revenuecat-webhook-signature"
    time_part, good = headers[name].split(",")
    old = signed(b"the secret before")[name].split(",")[1]
    for parts in (
        [time_part, old, good],
        [old, good, time_part],
        [f"{time_part} ", f" {good}"],
        [time_part, "v2=x", good],
    ):
        assert send(stand_in, http, {**headers, name: ",".join(parts)}).status_code == 200


def forged(secret: bytes) -> Iterator[tuple[str, dict[str, str], bytes]]:
    good, name = signed(secret), "x-revenuecat-webhook-signature"
    for missing in ("authorization", name):
        yield "unsigned event", {**good, missing: ""}, BODY
        yield "unsigned event", {key: value for key, value in good.items() if key != missing}, BODY
    for value in (
        "Bearer",
        STORE_AUTHORIZATION[:-1],
        STORE_AUTHORIZATION + "x",
        STORE_AUTHORIZATION.lower(),
        "é",
        "x" * 5000,
    ):
        yield (
            "wrong authorization",
            {**good, "authorization": value.encode("latin-1").decode("latin-1")},
            BODY,
        )

    now, signature = time.time(), good[name]
    for at in (now - 310, now + 310, now - 86_400, 0, now * 1000):
        yield "stale event", signed(secret, at=at), BODY
    for timestamp in ("-1", "now", "1e9", "0x5", "NaN", "", f"{now}", "9" * 30):
        yield "stale event", {**good, name: f"t={timestamp},{signature.split(',')[1]}"}, BODY
    for other in (b"", b"another secret", secret[:-1], secret + b"x"):
        yield "forged event", signed(other), BODY
    for body in (b"", BODY + b" ", BODY[:-1], BODY.replace(b"NORMAL", b"normal"), b"{}"):
        yield "forged event", good, body
    time_part, hmac_part = signature.split(",")
    for changed in (
        signature.replace("v1", "v0"),
        signature.replace(",", ";"),
        signature[:-2],
        signature + "00",
        time_part,
        hmac_part,
        ",".join([time_part, *["v1=" + "00" * 32] * 100, hmac_part]),
    ):
        yield "forged event", {**good, name: changed}, BODY
    for place in range(signature.index("v1=") + 3, len(signature)):
        other_digit = "0" if signature[place] != "0" else "1"
        yield "forged event", {**good, name: signature[:place] + other_digit + signature[place + 1 :]}, BODY


def test_an_event_that_the_store_did_not_send_is_refused(
    stand_in: StandIn, http: httpx.Client, tally: Tally
) -> None:
    for kind, headers, body in forged(stand_in.webhook_secret):
        given = [(key.encode(), value.encode("latin-1")) for key, value in headers.items()]
        answer = http.post(stand_in.gate.url(NAME), headers=given, content=body)
        assert (answer.status_code, code_of(answer)) == (401, "unauthenticated"), (kind, headers)
        tally[NAME, kind] += 1
    assert stand_in.api.calls == []


@pytest.mark.parametrize(
    ("unset", "with_header"),
    [
        ("REVENUECAT_WEBHOOK_SECRET", "authorization"),
        ("REVENUECAT_WEBHOOK_AUTHORIZATION", "x-revenuecat-webhook-signature"),
    ],
)
def test_one_of_the_two_secrets_is_enough(
    stand_in: StandIn, http: httpx.Client, unset: str, with_header: str
) -> None:
    environment = functions.function_environment(
        stand_in.api.url, Issuer(""), API_KEYS, stand_in.webhook_secret
    )
    with deno.process(functions.FUNCTIONS / NAME / "index.ts", {**environment, unset: ""}) as origin:
        headers = signed(stand_in.webhook_secret)
        answer = http.post(f"{origin}/{NAME}", headers={with_header: headers[with_header]}, content=BODY)
        assert answer.status_code == 200
        answer = http.post(f"{origin}/{NAME}", headers={with_header: headers[with_header][:-1]}, content=BODY)
        assert (answer.status_code, code_of(answer)) == (401, "unauthenticated")


def test_the_new_and_the_old_secret_are_good_while_they_rotate(stand_in: StandIn, http: httpx.Client) -> None:
    environment = functions.function_environment(stand_in.api.url, Issuer(""), API_KEYS, b"")
    environment["REVENUECAT_WEBHOOK_AUTHORIZATION"] = " Bearer new one , Bearer old one,Bearer third"
    environment["REVENUECAT_WEBHOOK_SECRET"] = f"{b'new'.hex()} {b'old'.hex()}"
    with deno.process(functions.FUNCTIONS / NAME / "index.ts", environment) as origin:
        seen = {
            (value, secret): http.post(
                f"{origin}/{NAME}", headers={**signed(secret), "authorization": value}, content=BODY
            ).status_code
            for value in ("Bearer new one", "Bearer old one", "Bearer third", "Bearer new", "", ",")
            for secret in (b"new", b"old", b"third")
        }
    accepted = {pair for pair, status in seen.items() if status == 200}
    assert accepted == {
        (f"Bearer {value} one", secret) for value in ("new", "old") for secret in (b"new", b"old")
    }
    assert set(seen.values()) == {200, 401}


def test_without_any_secret_no_event_is_believed_and_the_store_repeats(
    stand_in: StandIn, http: httpx.Client
) -> None:
    environment = functions.function_environment(stand_in.api.url, Issuer(""), API_KEYS, b"")
    unset = {"REVENUECAT_WEBHOOK_AUTHORIZATION": " , ", "REVENUECAT_WEBHOOK_SECRET": " "}
    with deno.process(functions.FUNCTIONS / NAME / "index.ts", {**environment, **unset}) as origin:
        for headers in (signed(b""), {"authorization": ""}, {}):
            answer = http.post(f"{origin}/{NAME}", headers=headers, content=BODY)
            assert (answer.status_code, code_of(answer)) == (503, "unavailable")
    assert stand_in.api.calls == []


NOT_BODIES = [
    b"", b"null", b"[]", b'"x"', b"{}", b"{", BODY[:-1], b"\xff\xfe", b"[" * 100_000, BODY.decode().encode("utf-16"),
    b'{"event": null}', b'{"event": []}', b'{"event": "x"}', b'{"event": {}, "event": 1}',
]  # fmt: skip


def test_a_signed_event_must_be_json_with_an_event(
    stand_in: StandIn, http: httpx.Client, tally: Tally
) -> None:
    for body in NOT_BODIES:
        answer = send(stand_in, http, signed(stand_in.webhook_secret, body), body)
        assert (answer.status_code, code_of(answer)) == (400, "invalid_request"), body[:80]
        tally[NAME, "signed nonsense"] += 1
    assert stand_in.api.calls == []


def test_an_event_may_be_large_but_not_endless(stand_in: StandIn, http: httpx.Client, tally: Tally) -> None:
    limit = 1_048_576
    body = body_of({**EVENT, "aliases": []})
    body = body.replace(b'"aliases": []', b'"aliases": ["%s"]' % (b"x" * (limit - len(body) - 2)))
    assert send(stand_in, http, signed(stand_in.webhook_secret, body), body).status_code == 200
    for size in (limit + 1, limit * 20):
        answer = send(stand_in, http, signed(stand_in.webhook_secret), b" " * size)
        assert (answer.status_code, code_of(answer)) == (413, "too_large")
        tally[NAME, "huge body"] += 1
    assert len(stand_in.api.calls) == 1


@pytest.fixture
def shop(backend: Backend, user: TappingUser) -> Iterator[psycopg.Connection[Any]]:
    for product, (credits, *access) in PRODUCTS.items():
        user.conn.execute(f"{ADD_PRODUCT} on conflict do nothing", (product, credits, *access))
    yield user.conn


def tell(user: TappingUser, event: object, body: bytes = b"") -> httpx.Response:
    body = body or body_of(event)
    return user.http.post(
        user.backend.gate.url(NAME), headers=signed(user.backend.webhook_secret, body), content=body
    )


def new(event: Event) -> Event:
    """The same event with unused ids."""
    return {**event, "id": str(uuid.uuid4()), "transaction_id": str(uuid.uuid4())}


def test_a_purchase_and_its_refund_however_often_they_come(
    user: TappingUser, shop: psycopg.Connection[Any]
) -> None:
    before = shop.execute(PURCHASES, (user.id,)).fetchone()
    bought = new(purchase(0, NOW, user.id, "x"))
    back = refund(uuid.uuid4(), NOW + 1, bought)
    effects = [tell(user, event).json()["effect"] for event in (back, bought, bought, back)]
    assert effects == ["nothing_to_take", "revoked", "known_refund", "known_refund"]
    bought = new(bought)
    assert [tell(user, bought).json()["effect"] for _ in range(2)] == ["granted", "known_transaction"]
    after = shop.execute(PURCHASES, (user.id,)).fetchone()
    assert before is not None and after is not None
    assert after[0] - (before[0] or 0) == PRODUCTS[PACK][0]


ODD: list[Any] = [
    None, True, 0, -1, 1.5, 1e308, -(2**63), 2**70, "", " ", "x" * 10_000, "a\x00b", "\ud800", "💡", [], {}, [None],
    ["x"], {"a": 1}, [[[]]], "Infinity", "1e999", "2026-01-01", str(uuid.UUID(int=0)), *INJECTIONS,
]  # fmt: skip


def test_a_field_may_be_anything_and_is_recorded_or_refused(
    user: TappingUser, shop: psycopg.Connection[Any], tally: Tally
) -> None:
    """No content of an event causes a 5xx, for which a store would repeat it for hours.

    A real database is behind the function.
    """
    for event in (purchase(0, NOW, user.id, "x"), period("RENEWAL", 0, NOW, user.id, "sub", NOW + 1)):
        for key in event:
            for value in ODD:
                told = {**new(event), key: value}
                answer = tell(user, told)
                assert answer.status_code == 200 or (answer.status_code, key) == (400, "id"), (
                    key,
                    value,
                    answer.text,
                )
                tally[NAME, "odd field"] += 1
    for key in ("transferred_from", "transferred_to"):
        for value in ODD:
            moved = {"id": str(uuid.uuid4()), "type": "TRANSFER", "event_timestamp_ms": NOW, key: value}
            assert tell(user, moved).status_code == 200, (key, value)
            tally[NAME, "odd field"] += 1
    assert shop.execute("select * from private.ledger_mismatches()").fetchall() == []


def test_numbers_and_depths_that_only_json_can_say(
    user: TappingUser, shop: psycopg.Connection[Any], tally: Tally
) -> None:
    bought = new(purchase(0, NOW, user.id, "x"))
    for text in (
        "1e999",
        "-1e999",
        "1e-999",
        "0.1e400",
        "9" * 5000,
        "[" * 500 + "]" * 500,
        '{"a":' * 500 + "1" + "}" * 500,
    ):
        for key in ("price", "event_timestamp_ms", "expiration_at_ms", "aliases"):
            body = body_of({**new(bought), key: "HERE"}).replace(b'"HERE"', text.encode())
            assert tell(user, None, body).status_code == 200, (key, text[:20])
            tally[NAME, "odd number or depth"] += 1


def test_a_buyer_cannot_keep_a_refund_away_by_an_attribute(
    user: TappingUser, shop: psycopg.Connection[Any]
) -> None:
    bought = new(purchase(0, NOW, user.id, "x"))
    tell(user, bought)
    back = refund(uuid.uuid4(), NOW + 1, bought)
    body = body_of({**back, "subscriber_attributes": {"\x00": {"value": "\x00\ud800"}, "n": {"value": 0}}})
    assert tell(user, None, body.replace(b'"value": 0', b'"value": 1e999')).json() == {"effect": "revoked"}
    kept = shop.execute("select event from private.purchase_events where id = %s", (back["id"],)).fetchone()
    assert kept and "subscriber_attributes" not in kept[0]


def test_mutated_events_are_recorded_or_refused(
    user: TappingUser, shop: psycopg.Connection[Any], tally: Tally
) -> None:
    choose = random.Random(7)
    for _ in range(1000):
        body = bytearray(body_of(new(period("RENEWAL", 0, NOW, user.id, "sub", NOW + 1))))
        for _ in range(choose.randint(1, 4)):
            place = choose.randrange(len(body))
            body[place : place + choose.randint(0, 2)] = choose.randbytes(choose.randint(0, 2))
        answer = tell(user, None, bytes(body))
        assert answer.status_code == 200 or code_of(answer) == "invalid_request", bytes(body)
        tally[NAME, "mutated event"] += 1
