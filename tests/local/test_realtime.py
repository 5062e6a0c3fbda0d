"""Realtime through the real clients: supabase-py (vsn 1.0.0) and supabase-js (vsn 2.0.0)."""

import asyncio
import json
import subprocess
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from realtime import AsyncRealtimeClient, RealtimeSubscribeStates

from local.stack import Stack
from tests.support import deno
from tests.support.realtime_raw import new_user, send, token_of

SCRIPT = Path(__file__).parent / "realtime_client.ts"


class HeardMessages:
    """The messages of one supabase-py channel, in order."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()

    def status(self, status: RealtimeSubscribeStates, error: Exception | None) -> None:
        self.queue.put_nowait((status.value, str(error)))

    async def next(self) -> tuple[str, Any]:
        return await asyncio.wait_for(self.queue.get(), 10)


@asynccontextmanager
async def joined(stack: Stack, topic: str, token: str | None) -> AsyncIterator[HeardMessages]:
    client = AsyncRealtimeClient(f"{stack.gateway_url}/realtime/v1", stack.publishable_key)
    if token is not None:
        await client.set_auth(token)
    heard = HeardMessages()
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
    user, stranger = new_user(gateway), new_user(gateway)

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
        deno.client(SCRIPT, *arguments),
        env=deno.ENVIRONMENT_WITH_PACKAGES,
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
    user = new_user(gateway)
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
    user = new_user(gateway)
    with supabase_js(gateway, f"user:{user}", lambda: token_of(gateway, user, seconds=3)) as heard:
        assert heard() == {"status": "SUBSCRIBED"}
        assert heard() == {"system": "Token has expired 0 seconds ago"}
        assert heard() == {"status": "CLOSED"}
