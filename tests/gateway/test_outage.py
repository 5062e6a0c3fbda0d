"""Without its database every service answers 503; afterwards the gateway needs no restart."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace

import httpx
import psycopg
import pytest
from psycopg import sql

from local.postgres import SUPERUSER
from local.stack import Stack
from tests.gateway.conftest import ClientUser


@contextmanager
def superuser(gateway: Stack) -> Iterator[psycopg.Connection]:
    with psycopg.connect(replace(gateway, database="template1").url_of(SUPERUSER), autocommit=True) as conn:
        yield conn


def hang_up(conn: psycopg.Connection, gateway: Stack) -> None:
    hang_up = "select pg_terminate_backend(pid, 10000) from pg_stat_activity where datname = %s"
    conn.execute(hang_up, (gateway.database,))


@pytest.fixture
def outage(gateway: Stack) -> Iterator[None]:
    """Refuse all connections to the database, which the gateway sees as a stopped server."""
    allow = sql.SQL("alter database {} allow_connections {}")
    name = sql.Identifier(gateway.database)
    with superuser(gateway) as conn:
        conn.execute(allow.format(name, sql.SQL("false")))
        hang_up(conn, gateway)
        try:
            yield
        finally:
            conn.execute(allow.format(name, sql.SQL("true")))


def answers(gateway: Stack, wire: httpx.Client, user: ClientUser, *, times: int = 1) -> list[int]:
    key = {"apikey": gateway.publishable_key}
    requests = [
        wire.build_request("POST", "/auth/v1/signup", headers=key, json={}),
        wire.build_request("GET", "/auth/v1/user", headers=user.headers),
        wire.build_request("POST", "/rest/v1/rpc/list_models", headers=user.headers),
        wire.build_request("GET", "/rest/v1/jobs?select=id", headers=user.headers),
        wire.build_request(
            "POST",
            "/storage/v1/object/sign/generations",
            headers=user.headers,
            json={"expiresIn": 60, "paths": []},
        ),
    ]
    with ThreadPoolExecutor(max_workers=len(requests) * times) as pool:
        return [answer.status_code for answer in pool.map(wire.send, requests * times)]


def test_without_a_database_everything_is_a_503(
    gateway: Stack, wire: httpx.Client, user: ClientUser, outage: None
) -> None:
    assert answers(gateway, wire, user) == [503] * 5


def test_lost_connections_cost_no_answer(gateway: Stack, wire: httpx.Client, user: ClientUser) -> None:
    """A service may have many lost connections: one request must not try one after the other."""
    assert answers(gateway, wire, user, times=12) == [200] * 60
    with superuser(gateway) as conn:
        hang_up(conn, gateway)
    assert answers(gateway, wire, user) == [200] * 5


def test_a_connection_lost_under_a_request_is_a_503(
    gateway: Stack, wire: httpx.Client, user: ClientUser
) -> None:
    suicide = {"p_state": "57P01", "p_message": "terminating connection", "p_detail": ""}
    assert wire.post("/rest/v1/rpc/fail", headers=user.headers, json=suicide).status_code == 503
