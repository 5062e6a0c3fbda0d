"""Tables of the Data API: what a role may is Postgres's answer, and how it is said is PostgREST's."""

from typing import Any

import httpx
import pytest
from postgrest.exceptions import APIError
from supabase import Client

from local.stack import Stack
from tests.gateway.conftest import User, notes

# Whatever else it is, it must not be a 500 and must not find a row.
STRANGE = [
    "id=eq.1'--",
    "id=eq.",
    "id=1",
    "id=like.1",
    "id=in.(1",
    'id=in.("1)',
    'id=in.(1"2")',
    "id=is.1",
    "id;drop table notes=eq.1",
    '"id"=eq.1',
    "%00=eq.1",
    "body=eq.%00",
    "body=eq.%ff",
    "unknown=eq.1",
    "notes=eq.1",
    "t=eq.1",
    "=eq.1",
    "or=(id.eq.1,id.eq.2)",
    "select=id,",
    "select=unknown",
    "select=id::text",
    "select=jobs(*)",
    "select=count()",
    "select=%00",
    "order=id;select",
    "order=id.sideways",
    "order=unknown",
    "limit=-1",
    "limit=one",
    "limit=99999999999999999999",
    "offset=1e9",
]


def test_a_user_sees_and_changes_own_rows_only(user: User, stranger: User) -> None:
    mine, others = user.client.table("notes"), stranger.client.table("notes")
    (row,) = notes(1)
    assert mine.insert(row).execute().data == [{**row, "user_id": user.id}]
    assert others.select("*").execute().data == []
    assert others.update({"body": "stolen"}).eq("id", row["id"]).execute().data == []
    assert others.delete().eq("id", row["id"]).execute().data == []
    assert mine.update({"body": None}).eq("id", row["id"]).execute().data == [
        {**row, "body": None, "user_id": user.id}
    ]
    assert len(mine.delete().eq("id", row["id"]).execute().data) == 1


def test_filters_orders_and_pages_mean_what_they_say(user: User) -> None:
    table, made = user.client.table("notes"), notes(5)
    table.insert([made[0], made[1], {**made[2], "body": None}, made[3], made[4]]).execute()
    ids = [row["id"] for row in made]

    def found(query: Any) -> list[int]:
        return [row["id"] - ids[0] for row in query.order("id").execute().data]

    every = table.select("id")
    assert found(table.select("id").eq("id", ids[1])) == [1]
    assert found(table.select("id").neq("id", ids[1])) == [0, 2, 3, 4]
    assert found(table.select("id").gt("id", ids[1]).lte("id", ids[3])) == [2, 3]
    assert found(table.select("id").gte("id", ids[3])) == [3, 4]
    assert found(table.select("id").lt("id", ids[1])) == [0]
    assert found(table.select("id").is_("body", "null")) == [2]
    assert found(table.select("id").not_.is_("body", "null")) == [0, 1, 3, 4]
    assert found(table.select("id").in_("id", [ids[4], ids[0]])) == [0, 4]
    assert found(table.select("id").in_("body", [made[1]["body"], "a,b"])) == [1]
    assert found(table.select("id").in_("id", [])) == []
    assert found(every.limit(2).offset(1)) == [1, 2]
    newest = table.select("number:id").order("id", desc=True).limit(1).execute().data
    assert newest == [{"number": ids[4]}]


def test_one_object_is_asked_for_and_given_or_refused(user: User) -> None:
    table, made = user.client.table("notes"), notes(2)
    table.insert(made).execute()
    assert table.select("id").eq("id", made[0]["id"]).single().execute().data == {"id": made[0]["id"]}
    with pytest.raises(APIError) as refusal:
        table.select("id").single().execute()
    assert (refusal.value.code, refusal.value.details) == ("PGRST116", "The result contains 2 rows")
    assert table.select("id").eq("id", -1).maybe_single().execute() is None


def test_a_count_is_of_all_rows_and_the_range_of_the_page(wire: httpx.Client, user: User) -> None:
    user.client.table("notes").insert(notes(3)).execute()
    headers = user.headers | {"prefer": "count=exact"}
    page = wire.get("/rest/v1/notes?limit=2", headers=headers)
    assert (page.status_code, page.headers["content-range"], len(page.json())) == (206, "0-1/3", 2)
    assert wire.get("/rest/v1/notes?offset=5", headers=headers).headers["content-range"] == "*/3"
    assert wire.head("/rest/v1/notes", headers=user.headers).headers["content-range"] == "0-2/*"


@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE"])
def test_what_is_not_granted_is_a_401_to_anon_and_a_403_to_others(
    gateway: Stack, wire: httpx.Client, user: User, method: str
) -> None:
    def ask(headers: dict[str, str], table: str) -> tuple[int, str]:
        answer = wire.request(method, f"/rest/v1/{table}?id=eq.1", headers=headers, json={"id": 1})
        return answer.status_code, answer.json()["code"]

    assert ask({"apikey": gateway.publishable_key}, "notes") == (401, "42501")
    assert ask({"apikey": gateway.secret_key}, "notes") == (403, "42501")
    if method != "GET":
        assert ask(user.headers, "sealed") == (403, "42501")


def test_a_row_that_a_policy_refuses_is_a_403(wire: httpx.Client, user: User, stranger: User) -> None:
    row = notes(1)[0] | {"user_id": stranger.id}
    answer = wire.post("/rest/v1/notes", headers=user.headers, json=row)
    assert (answer.status_code, answer.json()["code"]) == (403, "42501")
    assert "row-level security" in answer.json()["message"]


def test_a_second_row_of_the_same_key_is_a_409(wire: httpx.Client, user: User) -> None:
    row = notes(1)[0]
    assert wire.post("/rest/v1/notes", headers=user.headers, json=row).status_code == 201
    answer = wire.post("/rest/v1/notes", headers=user.headers, json=row)
    assert (answer.status_code, answer.json()["code"]) == (409, "23505")


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_a_change_without_a_filter_is_refused(wire: httpx.Client, user: User, method: str) -> None:
    user.client.table("notes").insert(notes(1)).execute()
    answer = wire.request(method, "/rest/v1/notes", headers=user.headers, json={"body": "x"})
    assert (answer.status_code, answer.json()["code"]) == (400, "21000")
    assert user.client.table("notes").select("body").neq("body", "x").execute().data


def test_a_change_whose_answer_is_refused_did_not_happen(wire: httpx.Client, user: User) -> None:
    headers = user.headers | {
        "prefer": "return=representation",
        "accept": "application/vnd.pgrst.object+json",
    }
    answer = wire.post("/rest/v1/notes", headers=headers, json=notes(2))
    assert (answer.status_code, answer.json()["code"]) == (406, "PGRST116")
    assert user.client.table("notes").select("*").execute().data == []


@pytest.mark.parametrize("query", STRANGE)
@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_a_strange_query_is_a_400_or_finds_nothing(
    wire: httpx.Client, user: User, method: str, query: str
) -> None:
    user.client.table("notes").insert(notes(1)).execute()
    answer = wire.request(method, f"/rest/v1/notes?{query}", headers=user.headers)
    assert answer.status_code in (400, 204) or answer.json() == [], answer.text
    assert len(user.client.table("notes").select("*").execute().data) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"[1]",
        b"1",
        b"null",
        b"\xff",
        b"[" * 100_000,
        b'{"unknown": 1}',
        b'{"": 1}',
        b'{"id": "one"}',
        b'{"id": 1, "body": "\\u0000"}',
        b'{"id": 1, "body": "\\ud800"}',
        b'{"\\u0000": 1}',
        b'{"\\ud800": 1}',
        b'{"id\\") select 1; --": 1}',
    ],
)
@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_a_body_that_is_no_row_is_a_400(wire: httpx.Client, user: User, method: str, body: bytes) -> None:
    (row,) = notes(1)
    user.client.table("notes").insert(row).execute()
    answer = wire.request(method, f"/rest/v1/notes?id=eq.{row['id']}", headers=user.headers, content=body)
    assert answer.status_code == 400, answer.text
    assert {"code", "message", "details", "hint"} == answer.json().keys()


@pytest.mark.parametrize("table", ["unknown", "notes;", 'notes" --', "pg_authid", "auth.users", "%00", "é"])
def test_an_unknown_table_is_not_found(wire: httpx.Client, user: User, table: str) -> None:
    assert wire.get(f"/rest/v1/{table}", headers=user.headers).status_code in (400, 404)


def test_only_public_is_exposed(admin: Client) -> None:
    for query in (
        admin.schema("private").table("models").select("*"),
        admin.schema("auth").table("users").select("*"),
    ):
        with pytest.raises(APIError) as refusal:
            query.execute()
        assert refusal.value.code == "PGRST106"
