"""A gateway with its own process and its own database, which the tests of this folder share."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from psycopg.types.json import Jsonb
from supabase import Client, ClientOptions, create_client

from local.stack import Stack
from tests.support import servers
from tests.support.databases import copy

NOTES = (Path(__file__).parent / "notes.sql").read_bytes()


@dataclass(frozen=True)
class ClientUser:
    id: str
    headers: dict[str, str]  # for requests without the client
    client: Client


@pytest.fixture(scope="session")
def gateway(template: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    stack = copy(template, "gateway")
    with psycopg.connect(stack.database_url) as conn:
        conn.execute(NOTES)
    with servers.gateway(stack, tmp_path_factory.mktemp("gateway")) as served:
        yield served


@pytest.fixture(scope="session")
def wire(gateway: Stack) -> Iterator[httpx.Client]:
    """The HTTP client that all clients share. It adds no key of its own."""
    with httpx.Client(base_url=gateway.gateway_url, timeout=30) as client:
        yield client


def client_of(gateway: Stack, wire: httpx.Client, key: str) -> Client:
    return create_client(gateway.gateway_url, key, ClientOptions(auto_refresh_token=False, httpx_client=wire))


@pytest.fixture
def admin(gateway: Stack, wire: httpx.Client) -> Client:
    return client_of(gateway, wire, gateway.secret_key)


@pytest.fixture
def anon(gateway: Stack, wire: httpx.Client) -> Client:
    return client_of(gateway, wire, gateway.publishable_key)


@pytest.fixture
def user(gateway: Stack, wire: httpx.Client) -> ClientUser:
    return new_user(gateway, wire)


@pytest.fixture
def stranger(gateway: Stack, wire: httpx.Client) -> ClientUser:
    return new_user(gateway, wire)


def new_user(gateway: Stack, wire: httpx.Client) -> ClientUser:
    client = client_of(gateway, wire, gateway.publishable_key)
    session = client.auth.sign_in_anonymously().session
    assert session is not None
    return ClientUser(
        session.user.id,
        {"apikey": gateway.publishable_key, "authorization": f"Bearer {session.access_token}"},
        client,
    )


def put(gateway: Stack, user: ClientUser, rows: list[dict[str, Any]]) -> None:
    """Store rows of public.notes as this user's; the Data API of the gateway inserts no rows."""
    insert = """
      insert into public.notes (id, user_id, body, tags)
      select id, %s, body, tags from jsonb_populate_recordset(null::public.notes, %s)
    """
    with psycopg.connect(gateway.database_url) as conn:
        conn.execute(insert, (user.id, Jsonb(rows)))


def notes(count: int) -> list[dict[str, Any]]:
    """New rows for public.notes, which the tests share."""
    start = uuid.uuid4().int % 2_000_000_000
    return [{"id": start + n, "body": f'{start + n}, "{n}"', "tags": [n]} for n in range(count)]
