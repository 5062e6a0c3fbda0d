"""The part of the Data API (PostgREST) that our clients use.

It gives access to tables and functions of schema public, as the caller's role.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg
from psycopg import sql
from starlette.requests import Request
from starlette.responses import Response

from local.gateway import keys, rest_errors, rest_query, rpc
from local.gateway.calls import Call, EveryOther
from local.gateway.database import Connection, become, transaction
from local.gateway.json_body import object_in
from local.gateway.refused import Refused, not_spoken, refuse_unknown

ONE_OBJECT = "application/vnd.pgrst.object+json"
ACCEPTED = ("application/json", ONE_OBJECT, "*/*")
PREFERRED = {"GET": (), "POST": (), "DELETE": ("return=minimal",)}
READ = sql.SQL("select coalesce(json_agg(t), '[]')::text, count(*) from (select {} from {} as t{}) as t")
DELETE = sql.SQL("delete from {} as t{}")


@asynccontextmanager
async def acting(request: Request) -> AsyncIterator[Connection]:
    """Open a transaction as the caller, and turn its errors into PostgREST's error answers."""
    check_headers(request)
    try:
        identity = keys.caller(request)
    except keys.InvalidToken as error:
        raise Refused(401, "PGRST303" if str(error) == "JWT expired" else "PGRST301", str(error)) from None
    try:
        async with transaction(request.app.state.data_pool) as conn:
            await become(conn, identity, request)
            yield conn
    except psycopg.Error as error:
        raise rest_errors.refused(error, identity.role) from error
    except UnicodeEncodeError as error:  # JSON can have text that UTF-8 cannot encode
        raise Refused(400, "22021", str(error)) from error


def check_headers(request: Request) -> None:
    """Refuse headers that request other schemas, pages, counts, shapes and formats."""
    for name in ("accept-profile", "content-profile"):
        if (profile := request.headers.get(name, "public")) != "public":
            hint = "Only the following schemas are exposed: public"
            raise Refused(406, "PGRST106", f"Invalid schema: {profile}", hint=hint)
    preferred = listed(",".join(request.headers.getlist("prefer")))
    refuse_unknown("header Prefer:", preferred, PREFERRED[request.method])
    if "range" in request.headers:
        raise not_spoken("the header Range")
    accepted = [name.partition(";q=")[0] for name in listed(request.headers.get("accept", "*/*"))]
    if not set(accepted) & set(ACCEPTED):
        raise not_spoken(f"the header Accept: {', '.join(accepted)}")
    content_type = request.headers.get("content-type", "application/json")
    if content_type.partition(";")[0].strip() != "application/json":
        raise not_spoken(f"the header Content-Type: {content_type}")


def listed(header: str) -> list[str]:
    return [part.strip() for part in header.split(",") if part.strip()]


async def read_table(request: Request) -> Response:
    query = rest_query.parse(request.query_params, rest_query.READ)
    page = sql.SQL("{}{} limit {}").format(query.where, query.order, query.limit)
    async with acting(request) as conn:
        reading = await conn.execute(READ.format(query.columns, table_of(request), page))
        rows, count = await reading.fetchone() or ("[]", 0)
    if ONE_OBJECT not in request.headers.get("accept", ""):
        return Response(rows, media_type="application/json; charset=utf-8")
    if count != 1:
        message = "Cannot coerce the result to a single JSON object"
        raise Refused(406, "PGRST116", message, details=f"The result contains {count} rows")
    return Response(rows[1:-1], media_type=f"{ONE_OBJECT}; charset=utf-8")


async def delete_rows(request: Request) -> Response:
    query = rest_query.parse(request.query_params, rest_query.DELETE)
    if not query.is_filtered:
        # Hosted projects refuse this, too: nearly always a filter was forgotten.
        raise Refused(400, "21000", "DELETE requires a WHERE clause")
    async with acting(request) as conn:
        await conn.execute(DELETE.format(table_of(request), query.where))
    return Response(status_code=204)


async def call_function(request: Request) -> Response:
    """Call a function. Postgres gets the body unchanged, as it keeps digits that Python loses."""
    body = await request.body()
    given = object_in(body, "PGRST102")
    async with acting(request) as conn:
        function = await rpc.find(conn, request.path_params["function"], set(given))
        result = await rpc.call(conn, function, rpc.arguments_in_body(function, body.decode()))
    if function.returns_void:
        return Response(status_code=204)
    return Response(result, media_type="application/json; charset=utf-8")


def table_of(request: Request) -> sql.Identifier:
    return sql.Identifier("public", request.path_params["table"])


routes = [
    Call("POST", "/rpc/{function}", call_function, query={}),
    Call("GET", "/{table}", read_table, query=None),
    Call("DELETE", "/{table}", delete_rows, query=None),
    EveryOther(""),
]
