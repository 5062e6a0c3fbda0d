"""The Data API, as far as our clients use PostgREST: tables and functions of schema public, as the caller's role."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import psycopg
from psycopg import sql
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local.gateway import keys, rest_errors, rest_query, rpc
from local.gateway.database import Connection, become, transaction
from local.gateway.json_body import NotJson, load
from local.gateway.refusal import Refusal
from local.gateway.rest_query import Query

READS = ("GET", "HEAD")
ONE_OBJECT = "application/vnd.pgrst.object+json"
COLLECT = sql.SQL("{}select coalesce(json_agg(t), '[]')::text, count(*) from (select {} from {} as t{}) as t")
INSERT = sql.SQL(
    "insert into {table} as t ({columns}) select {columns} from json_populate_recordset(null::{table}, {rows})"
)
UPDATE = sql.SQL(
    "update {table} as t set ({columns}) = (select {columns} from json_populate_recordset(null::{table}, {rows}))"
    "{where}"
)
DELETE = sql.SQL("delete from {table} as t{where}")


@asynccontextmanager
async def acting(request: Request) -> AsyncIterator[Connection]:
    """A transaction as the caller; what goes wrong in it is answered as PostgREST does."""
    profile = request.headers.get(
        "accept-profile" if request.method in READS else "content-profile", "public"
    )
    if profile != "public":
        hint = "Only the following schemas are exposed: public"
        raise Refusal(406, rest_errors.body("PGRST106", f"Invalid schema: {profile}", None, hint))
    try:
        identity = keys.caller(request)
    except keys.InvalidToken as error:
        code = "PGRST303" if str(error) == "JWT expired" else "PGRST301"
        raise Refusal(401, rest_errors.body(code, str(error)), {"WWW-Authenticate": "Bearer"}) from None
    try:
        async with transaction(request.app.state.data_pool) as conn:
            await become(conn, identity, request)
            yield conn
    except psycopg.Error as error:
        raise rest_errors.refusal(error, identity.role) from error
    except UnicodeEncodeError as error:  # JSON can name what UTF-8 cannot hold
        raise Refusal(400, rest_errors.body("22021", str(error))) from error


async def read_table(request: Request) -> Response:
    query = rest_query.parse(request.query_params)
    table = sql.Identifier("public", request.path_params["table"])
    page = sql.SQL("{}{} limit {} offset {}").format(query.where, query.order, query.limit, query.offset)
    total: Any = None
    async with acting(request) as conn:
        body, count = await one(conn, COLLECT.format(sql.SQL(""), query.columns, table, page))
        if "count=" in request.headers.get("prefer", ""):
            (total,) = await one(conn, sql.SQL("select count(*) from {} as t{}").format(table, query.where))
    response = shaped(request, 206 if total is not None and count < total else 200, body, count)
    span = f"{query.offset}-{query.offset + count - 1}" if count else "*"
    response.headers["Content-Range"] = f"{span}/{'*' if total is None else total}"
    return response


async def change_table(request: Request) -> Response:
    query = rest_query.parse(request.query_params)
    status = 201 if request.method == "POST" else 200
    statement = await change(request, query)
    async with acting(request) as conn:
        if "return=representation" not in request.headers.get("prefer", ""):
            await conn.execute(statement)
            return Response(status_code=201 if status == 201 else 204)
        changed = sql.SQL("with changed as ({} returning t.*) ").format(statement)
        collect = COLLECT.format(changed, query.columns, sql.Identifier("changed"), sql.SQL(""))
        # Inside the transaction: a refusal to shape the answer takes the change back.
        return shaped(request, status, *await one(conn, collect))


async def change(request: Request, query: Query) -> sql.Composed:
    table = sql.Identifier("public", request.path_params["table"])
    if request.method != "POST" and not query.is_filtered:
        # Hosted projects refuse it, too: it is nearly always a forgotten filter.
        verb = "UPDATE" if request.method == "PATCH" else "DELETE"
        raise Refusal(400, rest_errors.body("21000", f"{verb} requires a WHERE clause"))
    if request.method == "DELETE":
        return DELETE.format(table=table, where=query.where)
    text, body = await json_in(request)
    rows = body if isinstance(body, list) else [body]
    if not rows or not all(isinstance(row, dict) and row for row in rows):
        raise Refusal(400, rest_errors.body("PGRST102", "An object or a list of objects is needed"))
    return (INSERT if request.method == "POST" else UPDATE).format(
        table=table,
        columns=sql.SQL(", ").join(
            sql.Identifier(name) for name in {name: 0 for row in rows for name in row}
        ),
        rows=sql.Literal(text if body is rows else f"[{text}]"),
        where=query.where,
    )


async def call_function(request: Request) -> Response:
    name = request.path_params["function"]
    text, body = await json_in(request)
    if not isinstance(body, dict):
        raise Refusal(400, rest_errors.body("PGRST102", "The arguments must be an object"))
    params = request.query_params if request.method in READS else body
    async with acting(request) as conn:
        function = await rpc.find(conn, name, set(params) - {"apikey"})
        if request.method in READS:
            arguments = rpc.arguments_in_query(function, request.query_params)
        else:
            arguments = rpc.arguments_in_body(function, text)
        result, count = await rpc.call(conn, function, arguments)
    if function.returns_void:
        return Response(status_code=204)
    if function.returns_set:
        return shaped(request, 200, result, count)
    return Response(result, media_type="application/json; charset=utf-8")


async def json_in(request: Request) -> tuple[str, Any]:
    """The body twice: to look into, and as it came, for Postgres keeps digits that Python does not."""
    body = await request.body() or b"{}"
    try:
        parsed = load(body)
    except NotJson:
        raise Refusal(400, rest_errors.body("PGRST102", "Empty or invalid json")) from None
    return body.decode(), parsed


async def one(conn: Connection, statement: sql.Composed) -> tuple[Any, ...]:
    row: tuple[Any, ...] | None = await (await conn.execute(statement)).fetchone()
    assert row is not None  # noqa: S101  # an aggregate always has a row
    return row


def shaped(request: Request, status: int, body: str, count: int) -> Response:
    if ONE_OBJECT not in request.headers.get("accept", ""):
        return Response(body, status, media_type="application/json; charset=utf-8")
    if count != 1:
        message = "Cannot coerce the result to a single JSON object"
        raise Refusal(406, rest_errors.body("PGRST116", message, f"The result contains {count} rows"))
    return Response(body[1:-1], status, media_type=f"{ONE_OBJECT}; charset=utf-8")


routes = [
    Route("/rpc/{function}", call_function, methods=["GET", "POST"]),
    Route("/{table}", read_table, methods=["GET"]),
    Route("/{table}", change_table, methods=["POST", "PATCH", "DELETE"]),
]
