"""Auth, through supabase-py and on the wire."""

from concurrent.futures import ThreadPoolExecutor

import httpx
import jwt
import psycopg
import pytest
from supabase import Client

from local.gateway import keys
from local.stack import Stack
from tests.gateway.conftest import ClientUser


def refresh(wire: httpx.Client, gateway: Stack, token: str) -> httpx.Response:
    return wire.post(
        "/auth/v1/token?grant_type=refresh_token",
        headers={"apikey": gateway.publishable_key},
        json={"refresh_token": token},
    )


def refresh_token_of(client: Client) -> str:
    session = client.auth.get_session()
    assert session is not None
    return session.refresh_token


def test_an_anonymous_user_is_authenticated_and_says_so_in_its_claims(user: ClientUser) -> None:
    session = user.client.auth.get_session()
    assert session is not None and session.user.is_anonymous
    claims = jwt.decode(session.access_token, options={"verify_signature": False})
    assert claims["sub"] == user.id
    assert (claims["role"], claims["aud"], claims["is_anonymous"]) == ("authenticated", "authenticated", True)
    assert claims["exp"] - claims["iat"] == session.expires_in == 3600


def test_a_client_verifies_a_token_with_the_key_set(user: ClientUser) -> None:
    found = user.client.auth.get_claims()
    assert found is not None and found["claims"]["sub"] == user.id


def test_refreshing_rotates_the_token(user: ClientUser) -> None:
    first = refresh_token_of(user.client)
    user.client.auth.refresh_session()
    assert refresh_token_of(user.client) != first


def test_a_spent_token_gives_the_good_one_again_to_a_client_that_missed_it(
    gateway: Stack, wire: httpx.Client, user: ClientUser
) -> None:
    first = refresh_token_of(user.client)
    missed = refresh(wire, gateway, first).json()["refresh_token"]
    assert refresh(wire, gateway, first).json()["refresh_token"] == missed


def test_a_token_spent_long_ago_ends_the_session_for_every_holder(
    gateway: Stack, wire: httpx.Client, user: ClientUser
) -> None:
    tokens = [refresh_token_of(user.client)]
    for _ in range(2):
        tokens.append(refresh(wire, gateway, tokens[-1]).json()["refresh_token"])
    for token in (tokens[0], tokens[2]):
        answer = refresh(wire, gateway, token)
        assert (answer.status_code, answer.json()["error_code"]) == (400, "refresh_token_already_used")


def test_concurrent_refreshes_of_one_token_agree_on_its_successor(
    gateway: Stack, wire: httpx.Client, user: ClientUser
) -> None:
    token = refresh_token_of(user.client)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: refresh(wire, gateway, token), range(16)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["refresh_token"] for answer in answers}) == 1


@pytest.mark.parametrize("token", ["unknown", "", "'; drop table auth.users"])
def test_an_unknown_refresh_token_is_refused(gateway: Stack, wire: httpx.Client, token: str) -> None:
    answer = refresh(wire, gateway, token)
    assert (answer.status_code, answer.json()["error_code"]) == (400, "refresh_token_not_found")


def test_logging_out_ends_the_session_but_not_the_others(
    gateway: Stack, wire: httpx.Client, user: ClientUser
) -> None:
    token = refresh_token_of(user.client)
    headers = user.headers
    user.client.auth.sign_out({"scope": "others"})
    assert wire.get("/auth/v1/user", headers=headers).status_code == 200
    user.client.auth.sign_out({"scope": "local"})
    refused = wire.get("/auth/v1/user", headers=headers)
    assert (refused.status_code, refused.json()["error_code"]) == (403, "session_not_found")
    assert refresh(wire, gateway, token).json()["error_code"] == "refresh_token_not_found"


def test_a_token_of_a_deleted_user_opens_nothing(
    gateway: Stack, wire: httpx.Client, user: ClientUser
) -> None:
    with psycopg.connect(gateway.database_url) as conn:
        conn.execute("delete from auth.users where id = %s", (user.id,))
    assert wire.get("/auth/v1/user", headers=user.headers).status_code == 403
    assert wire.get("/rest/v1/entitlements", headers=user.headers).json() == []


@pytest.mark.parametrize("bearer", [None, "key", "garbage"])
def test_a_token_without_a_user_is_refused(gateway: Stack, wire: httpx.Client, bearer: str | None) -> None:
    headers = {"apikey": gateway.publishable_key}
    if bearer is not None:
        headers["authorization"] = f"Bearer {gateway.publishable_key if bearer == 'key' else bearer}"
    answer = wire.get("/auth/v1/user", headers=headers)
    expected = (401, "no_authorization") if bearer is None else (403, "bad_jwt")
    assert (answer.status_code, answer.json()["error_code"]) == expected


@pytest.mark.parametrize(
    "path", ["/auth/v1/user", "/rest/v1/entitlements", "/storage/v1/object/generations/a"]
)
@pytest.mark.parametrize("apikey", [None, "sb_publishable_unknown"])
def test_without_a_key_of_the_project_no_request_passes(
    wire: httpx.Client, path: str, apikey: str | None
) -> None:
    headers = {} if apikey is None else {"apikey": apikey}
    assert wire.get(path, headers=headers).status_code == 401
    assert wire.get(path, params=headers).status_code == 401


def test_a_secret_key_is_refused_from_a_browser(gateway: Stack, wire: httpx.Client) -> None:
    headers = {"apikey": gateway.secret_key, "user-agent": "Mozilla/5.0"}
    assert wire.get("/rest/v1/entitlements", headers=headers).status_code == 401


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b"\xff", b"[" * 100_000, b'{"email": 1}', b'{"email": "a", "password": "b"}']
)
def test_a_body_that_makes_no_sense_is_a_400(gateway: Stack, wire: httpx.Client, body: bytes) -> None:
    answer = wire.post("/auth/v1/signup", headers={"apikey": gateway.publishable_key}, content=body)
    assert answer.status_code == 400


@pytest.mark.parametrize("data", ['{"a": "\\u0000"}', '{"a": "\\ud800"}', "[1]"])
def test_user_data_that_cannot_be_stored_is_a_400(gateway: Stack, wire: httpx.Client, data: str) -> None:
    content = f'{{"data": {data}}}'
    answer = wire.post("/auth/v1/signup", headers={"apikey": gateway.publishable_key}, content=content)
    assert (answer.status_code, answer.json()["error_code"]) == (400, "validation_failed")


def test_an_error_names_itself_in_the_shape_of_either_version(gateway: Stack, wire: httpx.Client) -> None:
    headers = {"apikey": gateway.publishable_key}
    body = {"refresh_token": "unknown"}
    answer = wire.post("/auth/v1/token?grant_type=refresh_token", headers=headers, json=body)
    assert answer.json()["code"] == answer.json()["error_code"] == "refresh_token_not_found"
    expected = "Invalid Refresh Token: Refresh Token Not Found"
    assert answer.json()["message"] == answer.json()["msg"] == expected
    assert answer.headers["x-sb-error-code"] == "refresh_token_not_found"


def test_a_browser_may_ask_from_anywhere(wire: httpx.Client) -> None:
    headers = {
        "origin": "http://localhost:8081",
        "access-control-request-method": "POST",
        "access-control-request-headers": "apikey,authorization,x-client-info",
    }
    for path in ("/auth/v1/signup", "/rest/v1/rpc/list_models", "/storage/v1/object/sign/generations/a"):
        answer = wire.options(path, headers=headers)
        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "apikey" in answer.headers["access-control-allow-headers"]


def test_the_key_set_is_public(gateway: Stack, wire: httpx.Client) -> None:
    answer = wire.get("/auth/v1/.well-known/jwks.json")
    assert answer.json() == keys.jwks(gateway)
    assert answer.headers["cache-control"] == "public, max-age=600"
