"""Procrastinate, run by a Python that has it: apply (the schema), defer N, trickle N, or work."""

import asyncio
import os
import sys
import time
import uuid

import procrastinate  # type: ignore[import-not-found,unused-ignore]

from bench.dispatch import first_line

SLOTS = 16
app = procrastinate.App(
    connector=procrastinate.PsycopgConnector(conninfo=os.environ["DATABASE_URL"], max_size=8)
)


@app.task(name="run")  # type: ignore[untyped-decorator,unused-ignore]
async def run(job_id: str) -> None:
    first_line.note(job_id)


async def main(verb: str, count: int) -> None:
    async with app.open_async():
        if verb == "apply":
            await app.schema_manager.apply_schema_async()
        elif verb == "defer":
            await run.batch_defer_async(*({"job_id": str(uuid.uuid4())} for _ in range(count)))
        elif verb == "trickle":
            for _ in range(count):
                job_id = str(uuid.uuid4())
                await run.defer_async(job_id=job_id)
                print(job_id, time.monotonic_ns(), flush=True)
                await asyncio.sleep(0.03)
        else:
            await app.run_worker_async(concurrency=SLOTS, wait=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 0))
