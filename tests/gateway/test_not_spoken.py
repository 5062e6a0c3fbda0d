"""Missing features of the embedded stack are refused by name, for real clients and raw requests."""

import asyncio
from typing import Any

import httpx
import pytest
from postgrest.exceptions import APIError
from postgrest.types import CountMethod
from storage3.exceptions import StorageApiError
from supabase import Client
from supabase_auth.errors import AuthApiError

from local.stack import Stack
from tests.gateway.conftest import ClientUser
from tests.gateway.test_supabase_js import run
from tests.support.realtime_raw import RawSocket, url_of

OBJECT = "/storage/v1/object"
PLAN = 'application/vnd.pgrst.plan+text; for="application/json"; options=;'

# The name of each feature in the script, and in the refusal.
BY_SUPABASE_JS = {
    "sign up": "the body field email",
    "sign in": "the query parameter grant_type=password",
    "one-time code": "the body field create_user for an unknown address: only anonymous users are made",
    "one-time code by phone": "the body field phone",
    "verify": "the body field type=recovery",
    "update user": "the body field password",
    "link": "the body field code_challenge: codes need none",
    "count": "the header Prefer: count=exact",
    "range": "the query parameter offset",
    "or": "the query parameter or",
    "not": "the operator not of the filter status=not.eq.queued",
    "is": "the operator is of the filter error_code=is.null",
    "like": "the operator like of the filter status=like.q%",
    "cast": "'id::text' as a column",
    "embedded table": "'generations(id)' as a column",
    "JSON path": "'input->>prompt' as a column",
    "aggregate": "'id.count()' as a column",
    "order of an embedded table": "'generations.order' as a column",
    "csv": "the header Accept: text/csv",
    "explain": f"the header Accept: {PLAN}",
    "stripped nulls": "the header Accept: application/vnd.pgrst.array+json;nulls=stripped",
    "insert": "POST /rest/v1/credit_entries",
    "upsert": "POST /rest/v1/credit_entries",
    "update": "PATCH /rest/v1/entitlements",
    "delete returning": "the query parameter select",
    "delete count": "the header Prefer: count=exact",
    "delete limit": "the query parameter limit",
    "rpc select": "the query parameter select",
    "rpc filter": "the query parameter id",
    "rpc order": "the query parameter order",
    "rpc limit": "the query parameter limit",
    "rpc count": "the header Prefer: count=exact",
    "rpc get": "GET /rest/v1/rpc/list_models",
    "rpc rows": "functions that return rows, such as my_notes",
    "storage list": f"POST {OBJECT}/list/generations",
    "storage info": f"GET {OBJECT}/info/generations/USER/job/0.png",
    "storage update": f"PUT {OBJECT}/generations/USER/job/0.png",
    "storage move": f"POST {OBJECT}/move",
    "storage copy": f"POST {OBJECT}/copy",
    "storage bucket": "GET /storage/v1/bucket/generations",
    "storage upload URL": f"POST {OBJECT}/upload/sign/generations/USER/job/0.png.png",
    "storage metadata": "the form field metadata",
    "storage raw metadata": "the header x-metadata",
    "storage encoding": "the form field contentEncoding",
    "storage signed transform": "the body field transform",
    "storage transform": "GET /storage/v1/render/image/authenticated/generations/USER/job/0.png",
    "storage version": "the body field versionId",
    "storage public": f"GET {OBJECT}/public/generations/USER/job/0.png",
    "storage download name": "the query parameter download",
    "storage nonce": "the query parameter cacheNonce",
    "storage width": "the query parameter width",
    "realtime presence": "the channel option presence",
    "realtime presence listener": "the channel option presence",
    "realtime replay": "the broadcast option replay",
    "realtime parameter": "the query parameter eventsPerSecond",
    "realtime HTTP": "POST /realtime/v1/api/broadcast/user:USER/events/job",
}
# Features that hosted projects refuse, too, with the same messages.
AS_HOSTED = {
    "schema": ["PGRST106", "Invalid schema: private"],
    "realtime changes": [
        "UnableToSubscribe",
        "The embedded stack has no Postgres Changes, only broadcasts",
    ],
    "realtime public": ["PrivateOnly", "This project only allows private channels"],
}


def message(what: str) -> str:
    return f"The embedded stack does not speak {what}. local/README.md lists what it speaks."


@pytest.fixture(scope="module")
def said(gateway: Stack) -> dict[str, Any]:
    return run(gateway, "supabase_js_refused.ts")


@pytest.mark.parametrize("name", BY_SUPABASE_JS)
def test_supabase_js_is_told_what_is_not_spoken(said: dict[str, Any], name: str) -> None:
    is_ours = name.startswith("storage") and not name.endswith(("public", "download name", "nonce", "width"))
    code = "400" if is_ours else "not_implemented"  # storage-js passes the status on, not the code
    assert said[name] == [code, message(BY_SUPABASE_JS[name])]


@pytest.mark.parametrize("name", AS_HOSTED)
def test_supabase_js_is_told_what_hosted_projects_refuse(said: dict[str, Any], name: str) -> None:
    assert said[name] == AS_HOSTED[name]


def test_every_answer_to_supabase_js_is_expected(said: dict[str, Any]) -> None:
    assert said.keys() == BY_SUPABASE_JS.keys() | AS_HOSTED.keys()


def test_supabase_py_is_told_what_the_data_api_does_not_speak(user: ClientUser) -> None:
    notes = user.client.table("notes")
    for query, what in (
        (notes.insert({"id": 1}), "POST /rest/v1/notes"),
        (notes.update({"body": "x"}).eq("id", 1), "PATCH /rest/v1/notes"),
        (notes.delete().eq("id", 1), "the header Prefer: return=representation"),
        (notes.select("id", count=CountMethod.planned), "the header Prefer: count=planned"),
        (notes.select("id").is_("body", None), "the operator is of the filter body=is.null"),
        (user.client.rpc("add", {"a": 1}, get=True), "GET /rest/v1/rpc/add"),
        (user.client.rpc("add", {"a": 1}).limit(1), "the query parameter limit"),
    ):
        with pytest.raises(APIError) as refusal:
            query.execute()
        assert (refusal.value.code, refusal.value.message) == ("not_implemented", message(what))


def test_supabase_py_is_told_what_storage_does_not_speak(admin: Client) -> None:
    bucket = admin.storage.from_("generations")
    png: Any = {"content-type": "image/png"}
    described: Any = {**png, "metadata": {"a": 1}}
    for ask, what in (
        (lambda: bucket.list("a"), f"POST {OBJECT}/list/generations"),
        (lambda: bucket.info("a/0.png"), f"GET {OBJECT}/info/generations/a/0.png"),
        (lambda: bucket.update("a/0.png", b"x", png), f"PUT {OBJECT}/generations/a/0.png"),
        (
            lambda: bucket.upload("a/0.png", b"x", described),
            "the form field metadata",
        ),
        (
            lambda: bucket.download("a/0.png", {"transform": {"width": 9}}),
            "GET /storage/v1/render/image/authenticated/generations/a/0.png",
        ),
    ):
        with pytest.raises(StorageApiError) as refusal:
            ask()
        assert (refusal.value.code, refusal.value.message) == ("not_implemented", message(what))


def test_supabase_py_is_told_what_auth_does_not_speak(anon: Client) -> None:
    with pytest.raises(AuthApiError) as refusal:
        anon.auth.sign_up({"email": "a@example.com", "password": "secret1"})
    assert (refusal.value.code, refusal.value.message) == (
        "not_implemented",
        message("the body field email"),
    )


@pytest.mark.parametrize(
    ("method", "path", "headers", "what"),
    [
        ("GET", "/rest/v1/notes?columns=id", {}, "the query parameter columns"),
        ("GET", "/rest/v1/notes?on_conflict=id", {}, "the query parameter on_conflict"),
        ("GET", "/rest/v1/notes?and=(id.eq.1)", {}, "the query parameter and"),
        ("GET", "/rest/v1/notes?select=id&select=body", {}, "the query parameter select twice"),
        ("GET", "/rest/v1/notes?order=id&order=body", {}, "the query parameter order twice"),
        ("GET", "/rest/v1/notes?id=eq(any).{1}", {}, "the operator eq(any) of the filter id=eq(any).{1}"),
        ("GET", "/rest/v1/notes", {"range": "0-9"}, "the header Range"),
        ("GET", "/rest/v1/notes", {"prefer": "handling=strict"}, "the header Prefer: handling=strict"),
        ("GET", "/rest/v1/notes", {"prefer": "return=minimal"}, "the header Prefer: return=minimal"),
        ("GET", "/rest/v1/notes", {"accept": "text/html"}, "the header Accept: text/html"),
        ("GET", "/rest/v1/", {}, "GET /rest/v1/"),
        ("DELETE", "/rest/v1/notes?id=eq.1&order=id", {}, "the query parameter order"),
        (
            "DELETE",
            "/rest/v1/notes?id=eq.1",
            {"prefer": "return=minimal, tx=rollback"},
            "the header Prefer: tx=rollback",
        ),
        ("PUT", "/rest/v1/notes?id=eq.1", {}, "PUT /rest/v1/notes"),
        ("POST", "/rest/v1/rpc/add?a=eq.1", {}, "the query parameter a"),
        ("POST", "/rest/v1/rpc/add", {"prefer": "resolution=merge-duplicates"}, None),
        ("POST", "/rest/v1/rpc/add", {"prefer": "missing=default"}, None),
        ("POST", "/rest/v1/rpc/add", {"prefer": "params=single-object"}, None),
        ("POST", "/rest/v1/rpc/add", {"content-type": "text/csv"}, "the header Content-Type: text/csv"),
        ("POST", "/auth/v1/signup?redirect_to=x", {}, "the query parameter redirect_to"),
        ("POST", "/auth/v1/logout?scope=all", {}, "the query parameter scope=all"),
        ("GET", "/auth/v1/settings", {}, "GET /auth/v1/settings"),
        ("POST", "/storage/v1/object/generations/a.png?x=1", {}, "the query parameter x"),
        (
            "GET",
            "/storage/v1/object/authenticated/generations/a.png?width=9",
            {},
            "the query parameter width",
        ),
        ("POST", "/storage/v1/object/generations/a.png", {"x-robots-tag": "none"}, "the header x-robots-tag"),
        (
            "POST",
            "/storage/v1/object/generations/a.png",
            {"content-encoding": "gzip"},
            "the header content-encoding",
        ),
        ("POST", "/storage/v1/object/list-v2/generations", {}, "POST /storage/v1/object/list-v2/generations"),
        ("GET", "/graphql/v1", {}, "GET /graphql/v1"),
        ("POST", "/realtime/v1/api/broadcast", {}, "POST /realtime/v1/api/broadcast"),
    ],
)
def test_on_the_wire_each_kind_is_refused_by_name(
    wire: httpx.Client, user: ClientUser, method: str, path: str, headers: dict[str, str], what: str | None
) -> None:
    answer = wire.request(method, path, headers=user.headers | headers)
    body = answer.json()
    what = what or f"the header Prefer: {headers['prefer']}"
    assert (answer.status_code, body["message"]) == (400, message(what))
    assert "not_implemented" in (body.get("code"), body.get("error"))


@pytest.mark.parametrize("path", ["/rest/v1/notes", "/storage/v1/object/generations/a.png"])
def test_a_head_is_refused_without_words(wire: httpx.Client, user: ClientUser, path: str) -> None:
    assert wire.head(path, headers=user.headers).status_code == 400


@pytest.mark.parametrize("header", ["accept-profile", "content-profile"])
@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/rest/v1/notes"), ("DELETE", "/rest/v1/notes?id=eq.1"), ("POST", "/rest/v1/rpc/claims")],
)
def test_no_other_schema_is_exposed_by_either_header(
    wire: httpx.Client, user: ClientUser, method: str, path: str, header: str
) -> None:
    answer = wire.request(method, path, headers=user.headers | {header: "private"})
    assert (answer.status_code, answer.json()["code"]) == (406, "PGRST106")


@pytest.mark.parametrize(
    ("query", "payload", "what"),
    [
        ("", {"user_token": "x"}, "the field of a join user_token"),
        ("", {"config": {"private": True, "extensions": []}}, "the channel option extensions"),
        ("&log_level=info", {}, "the query parameter log_level"),
    ],
)
def test_a_join_with_an_unknown_field_is_refused_by_name(
    gateway: Stack, query: str, payload: dict[str, Any], what: str
) -> None:
    async def scenario() -> None:
        async with RawSocket(url_of(gateway) + query) as client:
            assert await client.ask("room", "phx_join", payload) == f"not_implemented: {message(what)}"

    asyncio.run(scenario())


def test_a_version_of_the_protocol_that_is_not_spoken_is_refused_by_name(gateway: Stack) -> None:
    async def scenario() -> None:
        async with RawSocket(url_of(gateway).replace("vsn=2.0.0", "vsn=3.0.0")) as client:
            assert await client.ask("room", "phx_join", {}) == f"not_implemented: {message('the vsn 3.0.0')}"

    asyncio.run(scenario())
