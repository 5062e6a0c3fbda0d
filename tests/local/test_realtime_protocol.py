"""Realtime as clients of our own meet it: refusals, late messages, lost databases, readers that
sleep.
"""

import asyncio
import json
import socket
import uuid
from typing import Any

import psycopg
import pytest
from starlette.applications import Starlette
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from local.gateway import outbox
from local.stack import Stack
from tests.support.realtime_raw import RawSocket, new_user, send, token_of, url_of


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({"private": False}, "PrivateOnly: "),
        ({"private": True, "postgres_changes": [{"event": "*"}]}, "UnableToSubscribe: "),
    ],
)
def test_a_join_to_what_the_stack_does_not_have_is_refused(
    gateway: Stack, config: dict[str, Any], reason: str
) -> None:
    async def scenario() -> None:
        async with RawSocket(url_of(gateway)) as client:
            assert (await client.ask("room", "phx_join", {"config": config})).startswith(reason)

    asyncio.run(scenario())


def test_a_client_that_asks_is_told_that_messages_arrive_from_now_on(gateway: Stack) -> None:
    user = new_user(gateway)
    config = {"private": True, "broadcast": {"replication_ready": True}}
    # supabase-js adds its version to a join after it renewed the token.
    payload = {"config": config, "access_token": token_of(gateway, user), "version": "realtime-js/2.119.1"}

    async def scenario() -> None:
        async with RawSocket(url_of(gateway)) as client:
            assert await client.ask(f"user:{user}", "phx_join", payload) is None
            event, told = await client.next()
            assert (event, told["status"], told["extension"]) == ("system", "ok", "system")
            assert told["message"] == "Replication connection established"

    asyncio.run(scenario())


def test_an_expired_or_forged_token_joins_nothing(gateway: Stack) -> None:
    user = new_user(gateway)

    async def scenario() -> None:
        async with RawSocket(url_of(gateway)) as client:
            for token in (
                token_of(gateway, user, seconds=-1),
                token_of(gateway, user)[:-6] + "AAAAAA",
                "nonsense",
            ):
                config = {"config": {"private": True}, "access_token": token}
                reason = await client.ask(f"user:{user}", "phx_join", config)
                assert reason.startswith("InvalidJWTToken: ")

    asyncio.run(scenario())


def test_a_connection_without_a_key_of_the_project_is_refused(gateway: Stack) -> None:
    async def scenario() -> None:
        with pytest.raises(InvalidStatus) as refused:
            await connect(url_of(gateway, "sb_publishable_wrong"))
        assert refused.value.response.status_code == 401
        assert json.loads(refused.value.response.body or b"{}") == {"error": "Invalid API key"}

    asyncio.run(scenario())


def test_a_client_sends_nowhere(gateway: Stack) -> None:
    user = new_user(gateway)

    async def scenario() -> None:
        async with RawSocket(url_of(gateway)) as writer, RawSocket(url_of(gateway)) as reader:
            for client in (writer, reader):
                await client.join(user, token_of(gateway, user))
            message = {"type": "broadcast", "event": "job", "payload": {}}
            assert (await writer.ask(f"user:{user}", "broadcast", message)).startswith("Unauthorized: ")
            await asyncio.to_thread(send, gateway, f"user:{user}", {"id": "the only one"})
            assert (await reader.next())[1]["payload"] == {"id": "the only one"}

    asyncio.run(scenario())


def test_a_new_token_of_another_user_costs_the_channel(gateway: Stack) -> None:
    user = new_user(gateway)

    async def scenario() -> None:
        async with RawSocket(url_of(gateway)) as client:
            await client.join(user, token_of(gateway, user))
            token = token_of(gateway, str(uuid.uuid4()))
            event, payload = await client.ask(f"user:{user}", "access_token", {"access_token": token})
            assert (event, payload["status"]) == ("system", "error")
            assert (await client.next())[0] == "phx_close"

    asyncio.run(scenario())


def test_concurrent_transactions_lose_no_message(gateway: Stack) -> None:
    """The first rings, the second finds it ringing and commits after the bell was answered."""
    user = new_user(gateway)

    def send_in_turn() -> None:
        statement = "select realtime.send(jsonb_build_object('id', %s::int), 'job', %s, true)"
        with psycopg.connect(gateway.database_url) as first, psycopg.connect(gateway.database_url) as second:
            first.execute(statement, (1, f"user:{user}"))
            second.execute(statement, (2, f"user:{user}"))
            first.commit()
            second.commit()

    async def scenario() -> None:
        async with RawSocket(url_of(gateway)) as client:
            await client.join(user, token_of(gateway, user))
            await asyncio.to_thread(send_in_turn)
            assert {(await client.next())[1]["payload"]["id"] for _ in range(2)} == {1, 2}

    asyncio.run(scenario())


def test_a_broadcast_during_an_outage_of_the_database_arrives_late(gateway: Stack) -> None:
    user = new_user(gateway)

    def cut_and_send() -> None:
        with psycopg.connect(gateway.url_of("supabase_admin"), autocommit=True) as conn:
            conn.execute("""
                select pg_terminate_backend(pid) from pg_stat_activity
                where datname = current_database() and pid <> pg_backend_pid()
            """)
            conn.execute("select realtime.send('{\"id\": 1}', 'job', %s, true)", (f"user:{user}",))

    async def scenario() -> None:
        async with RawSocket(url_of(gateway)) as client:
            await client.join(user, token_of(gateway, user))
            await asyncio.to_thread(cut_and_send)
            assert (await client.next())[1]["payload"] == {"id": 1}

    asyncio.run(scenario())


def test_a_join_is_given_up_when_there_is_no_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "OPEN_WITHIN", 0.1)

    async def scenario() -> None:
        nowhere = outbox.Outbox("postgresql://nobody@127.0.0.1:1/nothing")
        with pytest.raises(TimeoutError):
            await nowhere.join("user:somebody", lambda message: None)
        assert not nowhere.receivers
        assert nowhere.streaming is None

    asyncio.run(scenario())


def test_a_client_that_does_not_read_is_dropped_and_holds_up_no_other(app: Starlette, gateway: Stack) -> None:
    user = new_user(gateway)
    flood = """
    insert into realtime.messages (topic, extension, event, private, payload)
    select %s, 'broadcast', 'job', true, jsonb_build_object('id', n, 'text', repeat('x', 10000))
    from generate_series(1, 2500) n
    """

    def send_flood() -> None:
        with psycopg.connect(gateway.database_url) as conn:
            conn.execute(flood, (f"user:{user}",))

    async def scenario() -> None:
        # Left alone, the kernel would take the whole flood for the sleeper.
        small = socket.create_connection(("127.0.0.1", gateway.gateway_port))
        small.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        async with RawSocket(url_of(gateway)) as reader, RawSocket(url_of(gateway), sock=small) as sleeper:
            for client in (reader, sleeper):
                await client.join(user, token_of(gateway, user))
            sleeper.connection.transport.pause_reading()
            await asyncio.to_thread(send_flood)
            for _ in range(2500):
                await reader.next()
            assert len(app.state.outbox.receivers[f"user:{user}"]) == 1
            sleeper.connection.transport.abort()

    asyncio.run(scenario())
