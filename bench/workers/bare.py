"""Bare Celery with the pool of our workers: the cost of a message without guarantees."""

import os
import time

from celery import Celery

from bench.workers import first_line

SECONDS = float(os.environ.get("BENCH_SECONDS", "0"))

app = Celery("bare", broker=os.environ["REDIS_URL"])
app.conf.update(
    task_default_queue="bare",
    task_ignore_result=True,
    broker_connection_retry_on_startup=True,
    worker_pool="threads",
)


@app.task(name="bare")
def run(job_id: str) -> None:
    first_line.note(job_id)
    time.sleep(SECONDS)
