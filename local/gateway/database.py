"""Transactions of the services.

The statements of a client run as the client's role, so its policies and timeouts are real.
"""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from psycopg import AsyncConnection, OperationalError
from psycopg_pool import AsyncConnectionPool
from starlette.requests import Request

from local.gateway.keys import Identity
from local.gateway.refused import Refused

Connection = AsyncConnection[tuple[Any, ...]]
Pool = AsyncConnectionPool[Connection]

# The settings that PostgREST makes for a request. The role's own timeout must be read here:
# Postgres applies such settings at login, and these roles never log in.
BECOME = r"""
select set_config('statement_timeout', coalesce(
         (select substring(setting from '=(.*)') from pg_catalog.pg_roles, unnest(rolconfig) as setting
          where rolname = %(role)s and setting like 'statement\_timeout=%%'),
         current_setting('statement_timeout')), true),
       set_config('search_path', 'public, extensions', true),
       set_config('transaction_read_only', %(read_only)s, true),
       set_config('request.jwt.claims', %(claims)s, true),
       set_config('request.method', %(method)s, true),
       set_config('request.path', %(path)s, true),
       set_config('request.headers', %(headers)s, true),
       set_config('request.cookies', %(cookies)s, true),
       set_config('role', %(role)s, true)
"""


def pool(url: str) -> Pool:
    """Return a pool that is not open yet.

    The timeouts are short: while the database is unavailable, a client gets a 503 and may retry.
    """

    async def check(conn: Connection) -> None:
        try:
            await AsyncConnectionPool.check_connection(conn)
        except OperationalError:
            # A restart of the database breaks all connections at once. The pool would try one after
            # the other with backoff until the request timed out, so replace all of them now.
            await made.drain()
            raise

    made = AsyncConnectionPool[Connection](
        url,
        min_size=0,
        max_size=20,
        open=False,
        timeout=5,
        reconnect_timeout=1,
        check=check,
        # Migrations change tables while the gateway runs. A prepared statement would still have the
        # old ones.
        kwargs={"autocommit": True, "prepare_threshold": None, "connect_timeout": 3},
    )
    return made


@asynccontextmanager
async def transaction(pool: Pool) -> AsyncIterator[Connection]:
    try:
        async with pool.connection() as conn, conn.transaction():
            yield conn
    except OperationalError as error:  # also raised by a full pool
        if error.sqlstate is None or error.sqlstate.startswith(("08", "57P")):
            raise Refused(503, "PGRST001", "The database cannot be reached.") from error
        raise


async def become(conn: Connection, identity: Identity, request: Request) -> None:
    """Run the following statements as the caller.

    This lasts until the end of the transaction, or until `set local role none`.
    """
    await conn.execute(
        BECOME,
        {
            "role": identity.role,
            "read_only": "on" if request.method == "GET" else "off",
            "claims": json.dumps(identity.claims),
            "method": request.method,
            "path": request.url.path,
            "headers": json.dumps(dict(request.headers)),
            "cookies": json.dumps(request.cookies),
        },
    )
