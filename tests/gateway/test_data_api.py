"""Tables of the Data API: Postgres decides on rights, and the answers have PostgREST's form."""

from typing import Any

import httpx
import pytest
from postgrest.exceptions import APIError
from supabase import Client

from local.stack import Stack
from tests.gateway.conftest import ClientUser, notes, put

# None of these may cause a 500 or find a row.
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


def test_a_user_sees_and_deletes_own_rows_only(
    gateway: Stack, wire: httpx.Client, user: ClientUser, stranger: ClientUser
) -> None:
    mine = user.client.table("notes")
    (row,) = notes(1)
    put(gateway, user, [row])

    def delete(headers: dict[str, str]) -> int:
        return wire.delete(f"/rest/v1/notes?id=eq.{row['id']}", headers=headers).status_code

    assert mine.select("*").execute().data == [{**row, "user_id": user.id}]
    assert stranger.client.table("notes").select("*").execute().data == []
    assert delete(stranger.headers) == 204
    assert len(mine.select("*").execute().data) == 1
    assert delete(user.headers) == 204
    assert mine.select("*").execute().data == []


def test_filters_orders_and_limits_mean_what_they_say(gateway: Stack, user: ClientUser) -> None:
    table, made = user.client.table("notes"), notes(5)
    put(gateway, user, made)
    ids = [row["id"] for row in made]

    def found(query: Any) -> list[int]:
        return [row["id"] - ids[0] for row in query.order("id").execute().data]

    assert found(table.select("id").eq("id", ids[1])) == [1]
    assert found(table.select("id").neq("id", ids[1])) == [0, 2, 3, 4]
    assert found(table.select("id").gt("id", ids[1]).lte("id", ids[3])) == [2, 3]
    assert found(table.select("id").gte("id", ids[3])) == [3, 4]
    assert found(table.select("id").lt("id", ids[1])) == [0]
    assert found(table.select("id").in_("id", [ids[4], ids[0]])) == [0, 4]
    assert found(table.select("id").in_("body", [made[1]["body"], "a,b"])) == [1]
    assert found(table.select("id").in_("id", [])) == []
    assert found(table.select("id").limit(2)) == [0, 1]
    newest = table.select("number:id").order("id", desc=True).limit(1).execute().data
    assert newest == [{"number": ids[4]}]


def test_one_object_is_asked_for_and_given_or_refused(gateway: Stack, user: ClientUser) -> None:
    table, made = user.client.table("notes"), notes(2)
    put(gateway, user, made)
    assert table.select("id").eq("id", made[0]["id"]).single().execute().data == {"id": made[0]["id"]}
    with pytest.raises(APIError) as refusal:
        table.select("id").single().execute()
    assert (refusal.value.code, refusal.value.details) == ("PGRST116", "The result contains 2 rows")
    assert table.select("id").eq("id", -1).maybe_single().execute() is None


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_a_missing_grant_is_a_401_to_anon_and_a_403_to_others(
    gateway: Stack, wire: httpx.Client, user: ClientUser, method: str
) -> None:
    def ask(headers: dict[str, str], table: str) -> tuple[int, str]:
        answer = wire.request(method, f"/rest/v1/{table}?id=eq.1", headers=headers)
        return answer.status_code, answer.json()["code"]

    assert ask({"apikey": gateway.publishable_key}, "notes") == (401, "42501")
    assert ask({"apikey": gateway.secret_key}, "notes") == (403, "42501")
    if method != "GET":
        assert ask(user.headers, "sealed") == (403, "42501")


def test_a_delete_without_a_filter_is_refused(gateway: Stack, wire: httpx.Client, user: ClientUser) -> None:
    put(gateway, user, notes(1))
    answer = wire.delete("/rest/v1/notes", headers=user.headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "21000")
    assert user.client.table("notes").select("body").execute().data


@pytest.mark.parametrize("query", STRANGE)
@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_a_strange_query_is_a_400_or_finds_nothing(
    gateway: Stack, wire: httpx.Client, user: ClientUser, method: str, query: str
) -> None:
    put(gateway, user, notes(1))
    answer = wire.request(method, f"/rest/v1/notes?{query}", headers=user.headers)
    assert answer.status_code in (400, 204) or answer.json() == [], answer.text
    assert len(user.client.table("notes").select("*").execute().data) == 1


@pytest.mark.parametrize("table", ["unknown", "notes;", 'notes" --', "pg_authid", "auth.users", "%00", "é"])
def test_an_unknown_table_is_not_found(wire: httpx.Client, user: ClientUser, table: str) -> None:
    assert wire.get(f"/rest/v1/{table}", headers=user.headers).status_code in (400, 404)


def test_only_public_is_exposed(admin: Client) -> None:
    for query in (
        admin.schema("private").table("models").select("*"),
        admin.schema("auth").table("users").select("*"),
    ):
        with pytest.raises(APIError) as refusal:
            query.execute()
        assert refusal.value.code == "PGRST106"
