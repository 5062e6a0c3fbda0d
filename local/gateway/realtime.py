"""The Realtime websocket: private topics, receive-only.

Presence, Postgres Changes and public topics are refused.
"""

import asyncio
import logging
import time
from dataclasses import dataclass
from typing import Any

import psycopg
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from local.gateway.authorization import may_read
from local.gateway.frames import Frame, UnreadableFrame, decode, encode
from local.gateway.keys import Identity, InvalidToken, apikey_of, identify
from local.gateway.outbox import Outbox, Receiver
from local.gateway.refused import Refused, not_spoken, refuse_unknown

log = logging.getLogger(__name__)

PREFIX = "realtime:"
OUTGOING_FRAMES = 1000  # a client further behind is dropped; it joins again and reads the rows

# The client disconnected, perhaps in the middle of a send, or does not follow the protocol.
ENDS = (WebSocketDisconnect, RuntimeError, UnreadableFrame)

# The fields and options that a client may send when it joins. Its own `version` requests nothing.
# The broadcast options for sending have no effect, since every channel is receive-only.
JOIN_FIELDS = ("config", "access_token", "version")
CHANNEL_OPTIONS = ("private", "broadcast", "presence", "postgres_changes")
BROADCAST_OPTIONS = ("ack", "self", "replication_ready")
QUERY = ("apikey", "vsn")
VERSIONS = ("1.0.0", "2.0.0")


@dataclass(slots=True)
class Channel:
    name: str  # the topic with the prefix
    topic: str
    join_ref: str | None
    caller: Identity
    receiver: Receiver
    expiry: asyncio.TimerHandle | None = None


class Socket:
    def __init__(self, websocket: WebSocket, outbox: Outbox) -> None:
        self.websocket = websocket
        self.outbox = outbox
        self.vsn = websocket.query_params.get("vsn", "1.0.0")
        self.channels: dict[str, Channel] = {}  # by topic with the prefix
        self.outgoing: asyncio.Queue[str] = asyncio.Queue(OUTGOING_FRAMES)
        self.is_behind = asyncio.Event()

    async def serve(self) -> None:
        works = (self.receive(), self.transmit(), self.is_behind.wait())
        tasks = [asyncio.ensure_future(work) for work in works]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                if (error := task.exception()) and not isinstance(error, ENDS):
                    raise error
        finally:
            for task in tasks:
                task.cancel()
            for channel in list(self.channels.values()):
                self.drop(channel)

    async def receive(self) -> None:
        while True:
            message = await self.websocket.receive()
            if message["type"] == "websocket.disconnect":
                raise WebSocketDisconnect
            frame = decode(message.get("text") or message.get("bytes") or "", self.vsn)
            await self.handle(frame)

    async def transmit(self) -> None:
        while True:
            await self.websocket.send_text(await self.outgoing.get())

    def send(self, frame: Frame) -> None:
        """Queue a frame without waiting. A client that does not read is dropped."""
        try:
            self.outgoing.put_nowait(encode(frame, self.vsn))
        except asyncio.QueueFull:
            self.is_behind.set()

    async def handle(self, frame: Frame) -> None:
        match frame.event:
            case "heartbeat":
                self.send(frame.reply("ok", {}))
            case "phx_join":
                await self.join(frame)
            case _ if frame.topic not in self.channels:
                self.send(frame.reply("error", {"reason": "unmatched topic"}))
            case "phx_leave":
                self.send(frame.reply("ok", {}))
                self.close(self.channels[frame.topic])
            case "access_token":
                await self.renew(frame)
            case _:
                # A client could send only with a policy for inserts, and there is none.
                reason = f"Unauthorized: this channel is receive-only; it takes no {frame.event}"
                self.send(frame.reply("error", {"reason": reason}))

    async def join(self, frame: Frame) -> None:
        if frame.topic in self.channels:  # the client joins again, and the old channel ends
            self.close(self.channels[frame.topic])
        topic, receiver = frame.topic.removeprefix(PREFIX), self.receiver(frame.topic)
        try:
            self.check_connection()
            self.check_join(frame)
            caller = await self.authorize(topic, frame.payload.get("access_token"))
            await self.outbox.join(topic, receiver)
        except Refused as refused:
            self.send(frame.reply("error", {"reason": reason_of(refused)}))
        except TimeoutError:
            self.send(frame.reply("error", {"reason": reason_of(no_database())}))
        else:
            channel = Channel(frame.topic, topic, frame.join_ref, caller, receiver)
            self.channels[frame.topic] = channel
            self.watch_expiry(channel)
            self.send(frame.reply("ok", {"postgres_changes": []}))
            if (frame.payload["config"].get("broadcast") or {}).get("replication_ready"):
                self.send(system(channel, "ok", "Replication connection established"))

    def check_connection(self) -> None:
        """Check the connection at the join: a client cannot see why a connection was refused."""
        refuse_unknown("query parameter", self.websocket.query_params, QUERY)
        refuse_unknown("vsn", [self.vsn], VERSIONS)

    def check_join(self, frame: Frame) -> None:
        if not frame.topic.startswith(PREFIX) or frame.topic == PREFIX:
            raise Refused(400, "TopicNameRequired", "You must provide a topic name")
        refuse_unknown("field of a join", frame.payload, JOIN_FIELDS)
        config = options(frame.payload, "config")
        refuse_unknown("channel option", config, CHANNEL_OPTIONS)
        refuse_unknown("broadcast option", options(config, "broadcast"), BROADCAST_OPTIONS)
        if not config.get("private"):
            raise Refused(403, "PrivateOnly", "This project only allows private channels")
        if config.get("postgres_changes"):
            raise Refused(
                400, "UnableToSubscribe", "The embedded stack has no Postgres Changes, only broadcasts"
            )
        if any(options(config, "presence").values()):
            raise not_spoken("the channel option presence")

    async def authorize(self, topic: str, token: str | None) -> Identity:
        """Return the caller, who may read the topic. Raises Refused for any other caller.

        Without a user's token, the role is that of the connection's API key.
        """
        apikey = apikey_of(self.websocket)
        if token is not None and token.startswith("sb_"):
            token = None
        try:
            caller = identify(self.websocket.app.state.stack, apikey, token)
            allowed = await may_read(self.outbox.database_url, topic, caller, self.websocket.headers)
        except InvalidToken as error:
            raise Refused(401, "InvalidJWTToken", str(error)) from error
        except psycopg.Error as error:
            log.warning("realtime.unavailable: %s", str(error).strip())
            raise no_database() from error
        if not allowed:
            why = f"You do not have permissions to read from this Channel topic: {topic}"
            raise Refused(403, "Unauthorized", why)
        return caller

    async def renew(self, frame: Frame) -> None:
        """Check a new token as at the join. A user without the right loses the channel."""
        token = frame.payload.get("access_token")
        if not isinstance(token, str) or token.startswith("sb_"):
            return
        channel = self.channels[frame.topic]
        try:
            channel.caller = await self.authorize(channel.topic, token)
        except Refused as refused:
            self.close(channel, why=reason_of(refused))
        else:
            self.watch_expiry(channel)

    def watch_expiry(self, channel: Channel) -> None:
        if channel.expiry is not None:
            channel.expiry.cancel()
        if expires_at := channel.caller.claims.get("exp"):
            loop = asyncio.get_running_loop()
            why = "Token has expired 0 seconds ago"
            channel.expiry = loop.call_later(expires_at - time.time(), self.close, channel, why)

    def receiver(self, topic: str) -> Receiver:
        return lambda message: self.send(Frame(topic, "broadcast", message))

    def close(self, channel: Channel, why: str | None = None) -> None:
        """End one channel, unless it ended while we waited.

        The client does not join again by itself.
        """
        if self.channels.get(channel.name) is not channel:
            return
        self.drop(channel)
        if why is not None:
            self.send(system(channel, "error", why))
        self.send(Frame(channel.name, "phx_close", {}, channel.join_ref, channel.join_ref))

    def drop(self, channel: Channel) -> None:
        del self.channels[channel.name]
        self.outbox.leave(channel.topic, channel.receiver)
        if channel.expiry is not None:
            channel.expiry.cancel()


def no_database() -> Refused:
    why = "Realtime is initializing the project connection"
    return Refused(503, "InitializingProjectConnection", why)


def reason_of(refused: Refused) -> str:
    return f"{refused.code}: {refused.message}"


def options(parent: dict[str, Any], name: str) -> dict[str, Any]:
    found = parent.get(name) or {}
    if not isinstance(found, dict):
        raise Refused(400, "InvalidJoin", f"{name} must be an object")
    return found


def system(channel: Channel, status: str, message: str) -> Frame:
    told = {"extension": "system", "status": status, "message": message, "channel": channel.topic}
    return Frame(channel.name, "system", told, None, channel.join_ref)


async def connect(websocket: WebSocket) -> None:
    try:
        identify(websocket.app.state.stack, apikey_of(websocket), None)
    except InvalidToken as error:
        await websocket.send_denial_response(JSONResponse({"error": str(error)}, 401))
        return
    await websocket.accept()
    await Socket(websocket, outbox_of(websocket)).serve()


def outbox_of(websocket: WebSocket) -> Outbox:
    state = websocket.app.state
    if not hasattr(state, "outbox"):
        state.outbox = Outbox(state.stack.realtime_url)
    return state.outbox  # type: ignore[no-any-return]  # an app's state is untyped


routes: list[BaseRoute] = [WebSocketRoute("/realtime/v1/websocket", connect)]
