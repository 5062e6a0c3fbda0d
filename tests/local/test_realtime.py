"""Realtime through the real clients: supabase-py (vsn 1.0.0) and supabase-js (vsn 2.0.0)."""

import asyncio
import json
import os
import socket
import subprocess
import sysconfig
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from realtime import AsyncRealtimeClient, RealtimeSubscribeStates
from starlette.applications import Starlette
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from local.gateway import outbox, realtime
from local.gateway.keys import AUDIENCE, issuer, sign
from local.stack import ROOT, Stack
from tests.local.serving import served

SCRIPT = Path(__file__).parent / "realtime_client.ts"
DENO = Path(sysconfig.get_path("scripts")) / "deno"


@pytest.fixture
def app(stack: Stack) -> Starlette:
    app = Starlette(routes=realtime.routes)
    app.state.stack = stack
    return app


@pytest.fixture
def gateway(app: Starlette, stack: Stack) -> Iterator[Stack]:
    with served(app, stack):
        yield stack


def token_of(stack: Stack, user_id: str, *, seconds: int = 60) -> str:
    claims = {"iss": issuer(stack), "aud": AUDIENCE, "role": "authenticated", "sub": user_id}
    return sign(stack, claims, seconds=seconds)


def send(stack: Stack, topic: str, payload: dict[str, Any]) -> None:
    with psycopg.connect(stack.database_url) as conn:
        conn.execute("select realtime.send(%s::jsonb, 'job', %s, true)", (json.dumps(payload), topic))


class Heard:
    """What one supabase-py channel was told, in order."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()

    def status(self, status: RealtimeSubscribeStates, error: Exception | None) -> None:
        self.queue.put_nowait((status.value, str(error)))

    async def next(self) -> tuple[str, Any]:
        return await asyncio.wait_for(self.queue.get(), 10)


@asynccontextmanager
async def joined(stack: Stack, topic: str, token: str | None) -> AsyncIterator[Heard]:
    client = AsyncRealtimeClient(f"{stack.gateway_url}/realtime/v1", stack.publishable_key)
    if token is not None:
        await client.set_auth(token)
    heard = Heard()
    options: Any = {
        "config": {"private": True}
    }  # its type wants every key, its documentation only those that matter
    channel = client.channel(topic, options)
    channel.on_broadcast("job", lambda message: heard.queue.put_nowait(("job", message["payload"])))
    joining = asyncio.ensure_future(channel.subscribe(heard.status))
    try:
        yield heard
    finally:
        joining.cancel()
        await client.close()


def test_supabase_py_hears_what_is_sent_to_its_own_topic_only(gateway: Stack) -> None:
    user, stranger = str(uuid.uuid4()), str(uuid.uuid4())

    async def scenario() -> None:
        async with joined(gateway, f"user:{user}", token_of(gateway, user)) as heard:
            assert (await heard.next())[0] == "SUBSCRIBED"
            for topic, n in ((f"user:{stranger}", 1), (f"user:{user}", 2)):
                await asyncio.to_thread(send, gateway, topic, {"id": "x", "n": n})
            assert await heard.next() == ("job", {"id": "x", "n": 2})
            assert heard.queue.empty()

    asyncio.run(scenario())


@pytest.mark.parametrize("has_token", [True, False])
def test_supabase_py_may_not_join_the_topic_of_another(gateway: Stack, has_token: bool) -> None:
    token = token_of(gateway, str(uuid.uuid4())) if has_token else None

    async def scenario() -> None:
        async with joined(gateway, f"user:{uuid.uuid4()}", token) as heard:
            status, error = await heard.next()
            assert status == "CHANNEL_ERROR"
            assert "Unauthorized: You do not have permissions to read" in error

    asyncio.run(scenario())


@contextmanager
def supabase_js(
    stack: Stack, topic: str, make_token: Callable[[], str]
) -> Iterator[Callable[[], dict[str, Any]]]:
    """The lines a supabase-js client prints, one at each call."""
    arguments = [stack.gateway_url, stack.publishable_key, topic]
    with subprocess.Popen(
        [DENO, "run", "--no-lock", "--quiet", "--allow-net", "--allow-env", SCRIPT, *arguments],
        env={**os.environ, "DENO_DIR": str(ROOT / ".pilotlight" / "deno"), "DENO_NO_UPDATE_CHECK": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        lines = process.stdout
        try:
            assert lines.readline() == "waiting for the token\n"
            process.stdin.write(f"{make_token()}\n")
            yield lambda: json.loads(lines.readline() or '{"status": "the client ended"}')
        finally:
            process.kill()


def test_supabase_js_hears_what_is_sent_to_its_own_topic_only(gateway: Stack) -> None:
    user = str(uuid.uuid4())
    with supabase_js(gateway, f"user:{user}", lambda: token_of(gateway, user)) as heard:
        assert heard() == {"status": "SUBSCRIBED"}
        for topic, n in ((f"user:{uuid.uuid4()}", 1), (f"user:{user}", 2)):
            send(gateway, topic, {"id": "x", "n": n})
        assert heard() == {"event": "job", "payload": {"id": "x", "n": 2}}


@pytest.mark.parametrize("has_token", [True, False])
def test_supabase_js_may_not_join_the_topic_of_another(gateway: Stack, has_token: bool) -> None:
    token = token_of(gateway, str(uuid.uuid4())) if has_token else ""
    with supabase_js(gateway, f"user:{uuid.uuid4()}", lambda: token) as heard:
        told = heard()
    assert told["status"] == "CHANNEL_ERROR"
    assert "Unauthorized: You do not have permissions to read from this Channel topic" in told["error"]


def test_supabase_js_is_told_that_its_token_expired_and_loses_the_channel(gateway: Stack) -> None:
    user = str(uuid.uuid4())
    with supabase_js(gateway, f"user:{user}", lambda: token_of(gateway, user, seconds=3)) as heard:
        assert heard() == {"status": "SUBSCRIBED"}
        assert heard() == {"system": "Token has expired 0 seconds ago"}
        assert heard() == {"status": "CLOSED"}


class Raw:
    """A client of our own, for what the real ones never send."""

    def __init__(self, url: str, **options: Any) -> None:
        self.connecting = connect(url, compression=None, **options)

    async def __aenter__(self) -> "Raw":
        self.connection = await self.connecting
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.connection.close()

    async def ask(self, topic: str, event: str, payload: dict[str, Any]) -> Any:
        await self.connection.send(json.dumps(["1", "2", f"realtime:{topic}", event, payload]))
        return await self.next()

    async def next(self) -> Any:
        _, _, _, event, payload = json.loads(await asyncio.wait_for(self.connection.recv(), 10))
        return payload["response"].get("reason") if event == "phx_reply" else (event, payload)

    async def join(self, user: str, token: str) -> None:
        config = {"config": {"private": True}, "access_token": token}
        assert await self.ask(f"user:{user}", "phx_join", config) is None


def url_of(stack: Stack, key: str | None = None) -> str:
    return f"ws://127.0.0.1:{stack.gateway_port}/realtime/v1/websocket?vsn=2.0.0&apikey={key or stack.publishable_key}"


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
        async with Raw(url_of(gateway)) as client:
            assert (await client.ask("room", "phx_join", {"config": config})).startswith(reason)

    asyncio.run(scenario())


def test_an_expired_or_forged_token_joins_nothing(gateway: Stack) -> None:
    user = str(uuid.uuid4())

    async def scenario() -> None:
        async with Raw(url_of(gateway)) as client:
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
    user = str(uuid.uuid4())

    async def scenario() -> None:
        async with Raw(url_of(gateway)) as writer, Raw(url_of(gateway)) as reader:
            for client in (writer, reader):
                await client.join(user, token_of(gateway, user))
            message = {"type": "broadcast", "event": "job", "payload": {}}
            assert (await writer.ask(f"user:{user}", "broadcast", message)).startswith("Unauthorized: ")
            await asyncio.to_thread(send, gateway, f"user:{user}", {"id": "the only one"})
            assert (await reader.next())[1]["payload"] == {"id": "the only one"}

    asyncio.run(scenario())


def test_a_new_token_of_another_user_costs_the_channel(gateway: Stack) -> None:
    user = str(uuid.uuid4())

    async def scenario() -> None:
        async with Raw(url_of(gateway)) as client:
            await client.join(user, token_of(gateway, user))
            token = token_of(gateway, str(uuid.uuid4()))
            event, payload = await client.ask(f"user:{user}", "access_token", {"access_token": token})
            assert (event, payload["status"]) == ("system", "error")
            assert (await client.next())[0] == "phx_close"

    asyncio.run(scenario())


def test_concurrent_transactions_lose_no_message(gateway: Stack) -> None:
    """The first rings, the second finds it ringing and commits after the bell was answered."""
    user = str(uuid.uuid4())

    def send_in_turn() -> None:
        statement = "select realtime.send(jsonb_build_object('id', %s::int), 'job', %s, true)"
        with psycopg.connect(gateway.database_url) as first, psycopg.connect(gateway.database_url) as second:
            first.execute(statement, (1, f"user:{user}"))
            second.execute(statement, (2, f"user:{user}"))
            first.commit()
            second.commit()

    async def scenario() -> None:
        async with Raw(url_of(gateway)) as client:
            await client.join(user, token_of(gateway, user))
            await asyncio.to_thread(send_in_turn)
            assert {(await client.next())[1]["payload"]["id"] for _ in range(2)} == {1, 2}

    asyncio.run(scenario())


def test_what_was_sent_while_the_gateway_had_lost_its_database_arrives_late(gateway: Stack) -> None:
    user = str(uuid.uuid4())

    def cut_and_send() -> None:
        with psycopg.connect(gateway.url_of("supabase_admin"), autocommit=True) as conn:
            conn.execute("""
                select pg_terminate_backend(pid) from pg_stat_activity
                where datname = current_database() and pid <> pg_backend_pid()
            """)
            conn.execute("select realtime.send('{\"id\": 1}', 'job', %s, true)", (f"user:{user}",))

    async def scenario() -> None:
        async with Raw(url_of(gateway)) as client:
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


def test_a_client_that_does_not_read_is_dropped_and_holds_up_nobody(app: Starlette, gateway: Stack) -> None:
    user = str(uuid.uuid4())
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
        async with Raw(url_of(gateway)) as reader, Raw(url_of(gateway), sock=small) as sleeper:
            for client in (reader, sleeper):
                await client.join(user, token_of(gateway, user))
            sleeper.connection.transport.pause_reading()
            await asyncio.to_thread(send_flood)
            for _ in range(2500):
                await reader.next()
            assert len(app.state.outbox.receivers[f"user:{user}"]) == 1
            sleeper.connection.transport.abort()

    asyncio.run(scenario())
