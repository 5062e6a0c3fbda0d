"""The queues for Python that are compared.

`NAME work` is a worker. `NAME client` runs the commands in its input, one a line: `apply 0`,
`defer COUNT` or `trickle COUNT`. Each queue is used as its documentation recommends, in an
environment of its own, which has no package of ours. BENCH_SLOTS is the number of jobs that run at
once. BENCH_SECONDS is the time that each waits.
"""

import asyncio
import json
import os
import sys
import time
import uuid
from importlib.resources import files
from pathlib import Path
from typing import Any

DATABASE_URL = os.environ["DATABASE_URL"]
SLOTS = int(os.environ.get("BENCH_SLOTS", "16"))
SECONDS = float(os.environ.get("BENCH_SECONDS", "0"))
APART = 0.03  # seconds between two jobs on an idle system

first_lines = (Path(os.environ["BENCH_FOLDER"]) / f"{os.getpid()}.begun").open("a", buffering=1)


async def task(job_id: str) -> None:
    first_lines.write(f"{job_id} {time.monotonic_ns()}\n")
    if SECONDS:
        await asyncio.sleep(SECONDS)


class Procrastinate:
    def __init__(self) -> None:
        import procrastinate

        connector = procrastinate.PsycopgConnector(conninfo=DATABASE_URL)
        self.app = procrastinate.App(connector=connector)
        self.task = self.app.task(name="run")(task)

    async def open(self) -> None:
        await self.app.open_async()

    async def apply(self) -> None:
        await self.app.schema_manager.apply_schema_async()

    async def defer(self, job_ids: list[str]) -> None:
        await self.task.batch_defer_async(*({"job_id": job_id} for job_id in job_ids))

    async def work(self) -> None:
        await self.app.run_worker_async(concurrency=SLOTS)


class PgQueuer:
    async def open(self) -> None:
        import asyncpg
        import pgqueuer

        self.driver = pgqueuer.AsyncpgDriver(await asyncpg.connect(DATABASE_URL))
        self.app = pgqueuer.PgQueuer(self.driver)
        self.queries = pgqueuer.Queries(self.driver)

        @self.app.entrypoint("run")  # type: ignore[untyped-decorator,unused-ignore]
        async def run(job: Any) -> None:
            await task(job.payload.decode())

    async def apply(self) -> None:
        await self.queries.install()

    async def defer(self, job_ids: list[str]) -> None:
        count = len(job_ids)
        await self.queries.enqueue(["run"] * count, [job_id.encode() for job_id in job_ids], [0] * count)

    async def work(self) -> None:
        await self.app.run(batch_size=100)


class Pgmq:
    """Supabase Queues. Read a few messages by the long poll of pgmq, run them, and delete each."""

    async def open(self) -> None:
        import psycopg

        self.conn = await psycopg.AsyncConnection.connect(DATABASE_URL, autocommit=True)

    async def apply(self) -> None:
        await self.conn.execute("create schema pgmq")  # as `create extension` does
        await self.conn.execute(files("pgmq").joinpath("sql/pgmq.sql").read_bytes())
        await self.conn.execute("select pgmq.create('run')")

    async def defer(self, job_ids: list[str]) -> None:
        query = "select pgmq.send_batch('run', array(select jsonb_build_object('id', i) from unnest(%s::text[]) i))"
        await self.conn.execute(query, (job_ids,))

    async def work(self) -> None:
        while True:
            query = "select msg_id, message ->> 'id' from pgmq.read_with_poll('run', 30, %s)"
            messages = await (await self.conn.execute(query, (SLOTS,))).fetchall()
            await asyncio.gather(*(task(job_id) for _, job_id in messages))
            for message_id, _ in messages:
                await self.conn.execute("select pgmq.delete('run', %s::bigint)", (message_id,))


PEERS: dict[str, type[Any]] = {"procrastinate": Procrastinate, "pgqueuer": PgQueuer, "pgmq": Pgmq}


async def main(name: str, verb: str) -> None:
    peer = PEERS[name]()
    await peer.open()
    if verb == "work":
        await peer.work()
    for line in sys.stdin:
        verb, count = line.split()
        print(await answer(peer, verb, int(count)), flush=True)


async def answer(peer: Any, verb: str, count: int) -> str:
    if verb == "apply":
        await peer.apply()
    elif verb == "defer":
        await peer.defer([str(uuid.uuid4()) for _ in range(count)])
    return json.dumps(await trickle(peer, count) if verb == "trickle" else {})


async def trickle(peer: Any, count: int) -> dict[str, int]:
    sent = {}
    for _ in range(count):
        job_id = str(uuid.uuid4())
        await peer.defer([job_id])
        sent[job_id] = time.monotonic_ns()
        await asyncio.sleep(APART)
    return sent


def run() -> None:
    asyncio.run(main(*sys.argv[1:]))
