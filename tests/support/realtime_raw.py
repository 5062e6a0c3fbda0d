"""Realtime without a client library: what is sent, and what the real clients never send."""

import asyncio
import json
import uuid
from typing import Any

import psycopg
from websockets.asyncio.client import connect

from local.gateway.keys import AUDIENCE, issuer, sign
from local.stack import Stack


def new_user(stack: Stack) -> str:
    """The id of a user with an account, who may join the own topic."""
    user_id = str(uuid.uuid4())
    with psycopg.connect(stack.database_url) as conn:
        conn.execute("insert into auth.users (id) values (%s)", (user_id,))
    return user_id


def token_of(stack: Stack, user_id: str, *, seconds: int = 60) -> str:
    claims = {"iss": issuer(stack), "aud": AUDIENCE, "role": "authenticated", "sub": user_id}
    return sign(stack, claims, seconds=seconds)


def send(stack: Stack, topic: str, payload: dict[str, Any]) -> None:
    with psycopg.connect(stack.database_url) as conn:
        conn.execute("select realtime.send(%s::jsonb, 'job', %s, true)", (json.dumps(payload), topic))


class RawSocket:
    """A client of our own, for what the real ones never send."""

    def __init__(self, url: str, **options: Any) -> None:
        self.connecting = connect(url, compression=None, **options)

    async def __aenter__(self) -> "RawSocket":
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
