"""Functions of the Data API, and the status that PostgREST gives each error of Postgres."""

import json
import uuid

import httpx
import pytest

from local.stack import Stack
from tests.gateway.conftest import ClientUser


def fail(
    wire: httpx.Client, headers: dict[str, str], state: str, message: str, detail: str = ""
) -> httpx.Response:
    body = {"p_state": state, "p_message": message, "p_detail": detail}
    return wire.post("/rest/v1/rpc/fail", headers=headers, json=body)


def test_a_function_takes_its_arguments_by_name(user: ClientUser) -> None:
    assert user.client.rpc("add", {"a": 1}).execute().data == 11
    assert user.client.rpc("add", {"b": 2, "a": 1}).execute().data == 3
    ids, data = [str(uuid.uuid4())], {"a": [1, None, {"b": "ü"}]}
    assert user.client.rpc("echo", {"p_ids": ids, "p_data": data}).execute().data == {
        "ids": ids,
        "data": data,
    }
    assert user.client.rpc("nothing", {}).execute().data in (None, [], "")


def test_numbers_keep_the_digits_that_python_would_lose(wire: httpx.Client, user: ClientUser) -> None:
    body = '{"p_ids": [], "p_data": 1.000000000000000000010}'
    answer = wire.post("/rest/v1/rpc/echo", headers=user.headers, content=body)
    assert "1.000000000000000000010" in answer.text


def test_a_function_learns_who_asks_and_how(gateway: Stack, wire: httpx.Client, user: ClientUser) -> None:
    headers = user.headers | {"user-agent": "tester"}
    told = wire.post("/rest/v1/rpc/claims", headers=headers).json()
    expected = {"uid": user.id, "role": "authenticated", "claimed": "authenticated", "timeout": "8s"}
    assert told == expected | {"method": "POST", "path": "/rest/v1/rpc/claims", "agent": "tester"}
    for key, role in ((gateway.publishable_key, "anon"), (gateway.secret_key, "service_role")):
        headers = {"apikey": key, "authorization": f"Bearer {key}"}
        told = wire.post("/rest/v1/rpc/claims", headers=headers).json()
        assert (told["uid"], told["role"], told["claimed"]) == (None, role, role)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("unknown", {}),
        ("add", {}),
        ("add", {"a": 1, "c": 1}),
        ("pg_sleep", {"seconds": 1}),
        ("add; select 1", {}),
    ],
)
def test_a_function_that_does_not_fit_is_not_found(
    wire: httpx.Client, user: ClientUser, path: str, body: dict[str, int]
) -> None:
    answer = wire.post(f"/rest/v1/rpc/{path}", headers=user.headers, json=body)
    assert (answer.status_code, answer.json()["code"]) == (404, "PGRST202")


def test_a_function_that_is_not_granted_is_a_401_to_anon_and_a_403_to_others(
    gateway: Stack, wire: httpx.Client, user: ClientUser
) -> None:
    grant = {"p_user_id": user.id, "p_amount": 5, "p_reason": "x", "p_external_ref": "x"}
    for headers, status in (({"apikey": gateway.publishable_key}, 401), (user.headers, 403)):
        answer = wire.post("/rest/v1/rpc/grant_credits", headers=headers, json=grant)
        assert (answer.status_code, answer.json()["code"]) == (status, "42501")


@pytest.mark.parametrize("relation", ["taken", "written"])
def test_a_get_cannot_write(wire: httpx.Client, user: ClientUser, relation: str) -> None:
    """A view may call a function that writes."""
    write = wire.get(f"/rest/v1/{relation}", headers=user.headers)
    assert (write.status_code, write.json()["code"]) == (405, "25006")


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b"[1]",
        b"1",
        b"null",
        b"\xff",
        b"[" * 100_000,
        b'{"p_ids": [], "p_data": {"a": "\\u0000"}}',
        b'{"p_ids": [], "p_data": {"a": "\\ud800"}}',
        b'{"p_ids": [], "p_data": {"\\ud800": 1}}',
        b'{"p_ids": "one", "p_data": 1}',
    ],
)
def test_a_body_that_holds_no_arguments_is_a_400(wire: httpx.Client, user: ClientUser, body: bytes) -> None:
    answer = wire.post("/rest/v1/rpc/echo", headers=user.headers, content=body)
    assert answer.status_code == 400, answer.text
    assert {"code", "message", "details", "hint"} == answer.json().keys()


@pytest.mark.parametrize(
    "body", [b'{"": 1}', b'{"\\u0000": 1}', b'{"\\ud800": 1}', b'{"p_ids\\") select 1; --": 1}']
)
def test_a_strange_name_is_of_no_argument(wire: httpx.Client, user: ClientUser, body: bytes) -> None:
    answer = wire.post("/rest/v1/rpc/echo", headers=user.headers, content=body)
    assert (answer.status_code, answer.json()["code"]) == (404, "PGRST202")


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("P0001", 400),
        ("22P02", 400),
        ("22023", 400),
        ("23503", 409),
        ("23505", 409),
        ("23514", 400),
        ("42883", 404),
        ("42501", 403),
        ("40001", 500),
        ("53300", 503),
        ("57014", 500),
        ("XX000", 500),
        ("PT402", 402),
        ("PT429", 429),
        ("PT999", 500),
        ("PT204", 500),
        ("PTABC", 500),
    ],
)
def test_each_error_has_the_status_that_postgrest_gives_it(
    wire: httpx.Client, user: ClientUser, state: str, status: int
) -> None:
    answer = fail(wire, user.headers, state, "why", "what")
    assert answer.status_code == status
    assert answer.json() == {"code": state, "message": "why", "details": "what", "hint": None}


def test_an_error_may_say_everything_itself(wire: httpx.Client, user: ClientUser) -> None:
    error = {"code": "too_many_jobs", "message": "Wait.", "details": None, "hint": None}
    detail = {"status": 429, "headers": {"Retry-After": "5"}}
    answer = fail(wire, user.headers, "PGRST", json.dumps(error), json.dumps(detail))
    assert (answer.status_code, answer.headers["retry-after"], answer.json()) == (429, "5", error)


@pytest.mark.parametrize(
    ("message", "detail"),
    [
        ("{}", "{}"),
        ("no", "no"),
        ("[]", "1"),
        ('{"code": "a", "message": "b"}', '{"status": 402}'),
        ('{"code": "a", "message": "b"}', '{"status": 402, "headers": {"X": "a\\r\\nY: b"}}'),
    ],
)
def test_an_error_that_says_it_wrongly_is_a_500(
    wire: httpx.Client, user: ClientUser, message: str, detail: str
) -> None:
    answer = fail(wire, user.headers, "PGRST", message, detail)
    assert (answer.status_code, answer.json()["code"]) == (500, "PGRST121")


def test_a_role_has_its_own_timeout(gateway: Stack, wire: httpx.Client, user: ClientUser) -> None:
    def timeout(headers: dict[str, str]) -> object:
        return wire.post("/rest/v1/rpc/claims", headers=headers).json()["timeout"]

    assert timeout({"apikey": gateway.publishable_key}) == "3s"
    assert timeout(user.headers) == timeout({"apikey": gateway.secret_key}) == "8s"


def test_nothing_of_one_request_is_left_for_the_next(
    gateway: Stack, wire: httpx.Client, user: ClientUser
) -> None:
    for _ in range(12):  # more requests than connections
        wire.post("/rest/v1/rpc/claims", headers=user.headers)
        told = wire.post("/rest/v1/rpc/claims", headers={"apikey": gateway.secret_key}).json()
        assert (told["uid"], told["role"]) == (None, "service_role")
