"""Send new rows of realtime.messages to the clients that joined their topic.

As on hosted Realtime, delivery is not guaranteed: a message sent before a client joined does not
reach it. There is a database connection only while there is a client.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import psycopg

log = logging.getLogger(__name__)

Receiver = Callable[[dict[str, Any]], None]  # must not block: a slow client would delay the others

# Seconds between polls. Of concurrent transactions only one sends the NOTIFY, and another may
# commit after the gateway has handled it.
POLL_WHILE_BUSY, POLL_WHILE_IDLE = 0.02, 0.5
BUSY_FOR = 1.0  # seconds after a message or a NOTIFY
OPEN_WITHIN = 5.0  # seconds

# In batches, so that the clients' own tasks can run in between.
TAKE = """
with taken as (
  delete from realtime.outbox
  where message_id in (select message_id from realtime.outbox limit 250)
  returning message_id
)
select m.topic, m.id::text, m.event, case when m.topic = any(%s) and m.private then m.payload end
from realtime.messages m join taken on m.id = taken.message_id
order by m.inserted_at
"""


class Outbox:
    def __init__(self, database_url: str) -> None:
        self.database_url = database_url
        self.receivers: defaultdict[str, set[Receiver]] = defaultdict(set)
        self.streaming: asyncio.Task[None] | None = None
        self.is_open = asyncio.Event()

    async def join(self, topic: str, receiver: Receiver) -> None:
        """Add a receiver. Every message committed after the return reaches it.

        Raises TimeoutError without a database.
        """
        self.receivers[topic].add(receiver)
        if self.streaming is None or self.streaming.done():
            self.streaming = asyncio.create_task(self.stream())
        try:
            async with asyncio.timeout(OPEN_WITHIN):
                await self.is_open.wait()
        except BaseException:
            self.leave(topic, receiver)
            raise

    def leave(self, topic: str, receiver: Receiver) -> None:
        self.receivers[topic].discard(receiver)
        if not self.receivers[topic]:
            del self.receivers[topic]
        if not self.receivers and self.streaming is not None:
            self.streaming.cancel()
            self.streaming = None
            self.is_open.clear()

    async def stream(self) -> None:
        while True:
            try:
                await self.listen()
            except psycopg.Error as error:
                log.warning("realtime.disconnected: %s", str(error).strip())
                await asyncio.sleep(0.5)

    async def listen(self) -> None:
        async with await psycopg.AsyncConnection.connect(self.database_url, autocommit=True) as conn:
            await conn.execute("listen realtime_outbox")
            if not self.is_open.is_set():
                await conn.execute("delete from realtime.outbox")
                self.is_open.set()
            clock = asyncio.get_running_loop().time
            busy_until = 0.0
            while True:
                while await self.deliver(conn):
                    busy_until = clock() + BUSY_FOR
                pause = POLL_WHILE_BUSY if clock() < busy_until else POLL_WHILE_IDLE
                async for _ in conn.notifies(timeout=pause, stop_after=1):
                    busy_until = clock() + BUSY_FOR

    async def deliver(self, conn: psycopg.AsyncConnection[Any]) -> int:
        taken = await conn.execute(TAKE, (list(self.receivers),))
        rows = await taken.fetchall()
        for topic, message_id, event, payload in rows:
            message = {"type": "broadcast", "event": event, "payload": payload, "meta": {"id": message_id}}
            for receiver in list(self.receivers.get(topic, ()) if payload is not None else ()):
                receiver(message)
        return len(rows)
