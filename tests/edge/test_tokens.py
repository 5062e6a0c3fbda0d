"""The gate requires an access token that this project signed for a user and that is valid now."""

import time
import tomllib
from collections import Counter
from typing import Any

import httpx
import pytest

from tests.edge import functions
from tests.edge.conftest import API_KEYS, StandIn
from tests.edge.forgeries import forgeries
from tests.edge.refusals import code_of
from tests.edge.tokens import Issuer
from tests.support import deno
from tests.support.processes import ROOT

ID = "5c1fe2f6-6f0e-4a84-9b3e-0b1a4d0f7a55"
REQUESTS: dict[str, dict[str, Any]] = {
    "enqueue_generation": {"method": "POST", "json": {"id": ID, "model": "preview", "input": {}}},
    "get_job_status": {"method": "GET", "params": {"ids": ID}},
}


@pytest.mark.parametrize("name", REQUESTS)
def test_a_caller_without_a_good_token_is_refused(
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


ADDED = "http://127.0.0.1:54321/auth/v1"


@pytest.mark.parametrize(
    ("setting", "accepted"),
    [
        (None, []),
        ("", []),
        ("/", []),
        (ADDED, [ADDED]),
        (f"{ADDED}/", [ADDED, f"{ADDED}/"]),
        (f"{ADDED}//", [ADDED, f"{ADDED}//"]),
    ],
)
@pytest.mark.parametrize("slash", ["", "/"])
def test_token_issuer_adds_an_issuer_and_replaces_none(
    stand_in: StandIn, http: httpx.Client, setting: str | None, accepted: list[str], slash: str
) -> None:
    issuer, secret = stand_in.issuer, stand_in.webhook_secret
    environment = functions.function_environment(f"{stand_in.api.url}{slash}", issuer, API_KEYS, secret)
    if setting is not None:
        environment["TOKEN_ISSUER"] = setting
    tokens = {iss: issuer.token(iss=iss) for iss in (issuer.iss, *accepted)}
    foreign = {ADDED, "https://other.example/auth/v1", f"{ADDED}/x", ""}
    refused = {iss: issuer.token(iss=iss) for iss in foreign - tokens.keys()}
    forged = Issuer("").token(iss=issuer.iss), Issuer("").token(iss=ADDED)
    with deno.process(functions.FUNCTIONS / "get_job_status" / "index.ts", environment) as origin:

        def status(token: str) -> int:
            headers = {"Authorization": f"Bearer {token}"}
            return http.get(f"{origin}/get_job_status", headers=headers, params={"ids": ID}).status_code

        assert {iss: status(token) for iss, token in tokens.items()} == dict.fromkeys(tokens, 200)
        assert {iss: status(token) for iss, token in refused.items()} == dict.fromkeys(refused, 401)
        assert [status(token) for token in forged] == [401, 401], "the keys decide"


def test_the_cli_is_told_who_signs_in_its_local_stack() -> None:
    """Functions see SUPABASE_URL=http://kong:8000; Auth signs with the address that an app uses."""
    config = tomllib.loads((ROOT / "supabase" / "config.toml").read_text())
    port = config["api"].get("port", 54321)
    assert config["edge_runtime"]["secrets"]["TOKEN_ISSUER"] == f"http://127.0.0.1:{port}/auth/v1"


def test_a_legacy_project_learns_why_no_token_is_accepted(stand_in: StandIn, http: httpx.Client) -> None:
    legacy = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.e30.c2lnbmF0dXJl"
    headers = {"Authorization": f"Bearer {legacy}"}
    answer = http.get(stand_in.gate.url("get_job_status"), headers=headers, params={"ids": ID})
    assert "HS256" in answer.json()["error"]["message"]
