"""Queues that need no broker, run by a Python that has them: `peers.py <name> apply|defer N|trickle N|work`."""

import asyncio
import os
import sys
import time
import uuid
from typing import Any

from bench.workers import first_line

SLOTS = 16


class Procrastinate:
    def __init__(self) -> None:
        import procrastinate  # type: ignore[import-not-found,unused-ignore]

        connector = procrastinate.PsycopgConnector(conninfo=os.environ["DATABASE_URL"], max_size=8)
        self.app = procrastinate.App(connector=connector)

        @self.app.task(name="run")  # type: ignore[untyped-decorator,unused-ignore]
        async def run(job_id: str) -> None:
            first_line.note(job_id)

        self.task = run

    async def open(self) -> None:
        await self.app.open_async()

    async def apply(self) -> None:
        await self.app.schema_manager.apply_schema_async()

    async def defer(self, job_ids: list[str]) -> None:
        await self.task.batch_defer_async(*({"job_id": job_id} for job_id in job_ids))

    async def work(self) -> None:
        await self.app.run_worker_async(concurrency=SLOTS, wait=True)


class PgQueuer:
    async def open(self) -> None:
        import asyncpg  # type: ignore[import-not-found,unused-ignore]
        import pgqueuer  # type: ignore[import-not-found,unused-ignore]

        self.driver = pgqueuer.AsyncpgDriver(await asyncpg.connect(os.environ["DATABASE_URL"]))
        self.app = pgqueuer.PgQueuer(self.driver)
        self.queries = pgqueuer.Queries(self.driver)

        @self.app.entrypoint("run")  # type: ignore[untyped-decorator,unused-ignore]
        async def run(job: Any) -> None:
            first_line.note(job.payload.decode())

    async def apply(self) -> None:
        await self.queries.install()

    async def defer(self, job_ids: list[str]) -> None:
        count = len(job_ids)
        await self.queries.enqueue(["run"] * count, [job_id.encode() for job_id in job_ids], [0] * count)

    async def work(self) -> None:
        await self.app.run(batch_size=100)


PEERS: dict[str, type[Any]] = {"procrastinate": Procrastinate, "pgqueuer": PgQueuer}


async def main(name: str, verb: str, count: int = 0) -> None:
    peer = PEERS[name]()
    await peer.open()
    if verb == "apply":
        await peer.apply()
    elif verb == "defer":
        await peer.defer([str(uuid.uuid4()) for _ in range(count)])
    elif verb == "trickle":
        for _ in range(count):
            job_id = str(uuid.uuid4())
            await peer.defer([job_id])
            print(job_id, time.monotonic_ns(), flush=True)
            await asyncio.sleep(0.03)
    else:
        await peer.work()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:])))
