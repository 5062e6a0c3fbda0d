"""Nobody gets past the gate without an access token that this project signed for a user and that is valid now."""

import time
from collections import Counter
from typing import Any

import httpx
import pytest

from tests.edge import deno
from tests.edge.conftest import API_KEYS, StandIn
from tests.edge.forgeries import forgeries
from tests.edge.refusals import code_of
from tests.edge.tokens import Issuer

ID = "5c1fe2f6-6f0e-4a84-9b3e-0b1a4d0f7a55"
REQUESTS: dict[str, dict[str, Any]] = {
    "enqueue_generation": {"method": "POST", "json": {"id": ID, "model": "preview", "input": {}}},
    "get_job_status": {"method": "GET", "params": {"ids": ID}},
}


@pytest.mark.parametrize("name", REQUESTS)
def test_a_caller_without_a_good_token_is_nobody(
    stand_in: StandIn, http: httpx.Client, name: str, tally: Counter[tuple[str, str]]
) -> None:
    legacy = Issuer("").token(role="anon")
    for kind, header in forgeries(stand_in.issuer, [*API_KEYS.values(), legacy]):
        headers = {"apikey": API_KEYS["publishable"], **({} if header is None else {"Authorization": header})}
        answer = http.request(url=stand_in.gate.url(name), headers=headers, **REQUESTS[name])
        assert (answer.status_code, code_of(answer)) == (401, "unauthenticated"), (kind, header)
        assert answer.headers["www-authenticate"] == "Bearer"
        tally[name, kind] += 1
    assert stand_in.api.calls == []


@pytest.mark.parametrize("name", REQUESTS)
@pytest.mark.parametrize("claims", [{}, {"aud": ["authenticated", "x"]}, {"nbf": 0}, {"is_anonymous": False}])
def test_a_user_calls_the_database_as_themselves(
    stand_in: StandIn, http: httpx.Client, name: str, claims: dict[str, object]
) -> None:
    token = stand_in.issuer.token(**claims)
    http.request(url=stand_in.gate.url(name), headers={"Authorization": f"bearer {token}"}, **REQUESTS[name])
    (call,) = stand_in.api.calls
    assert call.path == f"/rest/v1/rpc/{name}"
    assert call.headers["authorization"] == f"Bearer {token}"
    assert call.headers["apikey"] == API_KEYS["publishable"]


def test_a_token_that_was_good_is_refused_when_it_has_expired_or_is_changed(
    stand_in: StandIn, http: httpx.Client
) -> None:
    token = stand_in.issuer.token(exp=int(time.time()) + 2)
    url, query = stand_in.gate.url("get_job_status"), {"ids": ID}
    assert http.get(url, params=query, headers={"Authorization": f"Bearer {token}"}).status_code == 200
    changed = {"Authorization": f"Bearer {token[:-5]}AAAAA"}
    assert http.get(url, params=query, headers=changed).status_code == 401
    until = time.monotonic() + 30
    while http.get(url, params=query, headers={"Authorization": f"Bearer {token}"}).status_code != 401:
        assert time.monotonic() < until


def test_a_project_with_an_address_of_its_own_names_its_issuer(stand_in: StandIn, http: httpx.Client) -> None:
    known = deno.function_environment(stand_in.api.url, stand_in.issuer, API_KEYS, stand_in.webhook_secret)
    named = {**known, "TOKEN_ISSUER": "own/auth/v1"}
    with deno.process(deno.FUNCTIONS / "get_job_status" / "index.ts", named) as origin:
        for token, status in (
            (stand_in.issuer.token(iss="own/auth/v1"), 200),
            (stand_in.issuer.token(), 401),
        ):
            headers = {"Authorization": f"Bearer {token}"}
            answer = http.get(f"{origin}/get_job_status", headers=headers, params={"ids": ID})
            assert answer.status_code == status


def test_a_legacy_project_learns_why_nobody_gets_in(stand_in: StandIn, http: httpx.Client) -> None:
    legacy = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.e30.c2lnbmF0dXJl"
    headers = {"Authorization": f"Bearer {legacy}"}
    answer = http.get(stand_in.gate.url("get_job_status"), headers=headers, params={"ids": ID})
    assert "HS256" in answer.json()["error"]["message"]
