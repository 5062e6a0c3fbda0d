"""The time from a webhook to the row of the generation, beside a bare Celery task.

The picture has 1 MB. Ours: the signed webhook over HTTP, the function, the database, the bridge,
the worker, Replicate's answer, the picture, its thumbnail and blurhash, Storage, the row. The bare
task with the same work: a message, the picture, its thumbnail, Storage. The pictures are made one
at a time, in turns, on servers of this machine.
"""

import argparse
import io
import json
import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from celery import Celery
from PIL import Image

from bench.processes import celery
from bench.report import Report, at_least, command_line, percentile
from tests.replicate.behaviour import Behaviour, Reply
from tests.replicate.farm import Farm, farm
from tests.replicate.webhooks import signed
from tests.support.jobs import Jobs
from tests.support.processes import ControlledProcess
from tests.support.waiting import wait_until

SIDE = 1024  # pixels
BYTES = 1_000_000


def main() -> None:
    parser = command_line(__doc__)
    parser.add_argument("--samples", type=at_least(1), default=60, help="pictures of each kind")
    asked = parser.parse_args()
    report = Report("picture", asked.results)
    with tempfile.TemporaryDirectory(prefix="pilotlight-bench-") as folder, farm(Path(folder)) as made:
        report.title("Picture")
        compare(report, made, asked)
    report.save()


def compare(report: Report, made: Farm, asked: argparse.Namespace) -> None:
    picture = noise()
    made.replicate.files["picture.jpg"] = Reply(picture, "image/jpeg")
    made.replicate.plan = lambda job_id, number: Behaviour(
        seconds=None, webhooks=(), output=lambda files: f"{files}/picture.jpg"
    )
    ours, bare = [], []
    with Jobs(made.stack.database_url) as jobs, bare_worker(made) as app:
        for number in range(asked.samples + 1):  # the first of each is not counted
            ours.append(milliseconds_of_ours(made, jobs))
            bare.append(milliseconds_of_bare(made, app, number))
    rows = [(name, *shares(each[1:])) for name, each in (("bare Celery", bare), ("Pilotlight", ours))]
    ratio = rows[1][1] / rows[0][1]
    report.write(f"\nA JPEG of {len(picture):,} bytes, {asked.samples} of each in turns.\n")
    report.table(("Webhook or message to the stored picture, ms", "p50", "p95"), rows)
    report.table(("Target", "limit", "measured"), [("p50 x bare Celery", 1.5, ratio)])


def shares(milliseconds: list[float]) -> tuple[float, float]:
    return statistics.median(milliseconds), percentile(milliseconds, 0.95)


def noise() -> bytes:
    """Return a JPEG of about BYTES. Noise does not compress."""
    dice = random.Random(0)
    for quality in range(60, 100):
        file = io.BytesIO()
        Image.frombytes("RGB", (SIDE, SIDE), dice.randbytes(SIDE * SIDE * 3)).save(
            file, "JPEG", quality=quality
        )
        if file.tell() >= BYTES:
            break
    return file.getvalue()


def milliseconds_of_ours(made: Farm, jobs: Jobs) -> float:
    job_id = jobs.enqueue("fox")
    wait_until(lambda: jobs.status(job_id) == "waiting", "the job to wait for its prediction", 60)
    (prediction,) = made.replicate.of(job_id)
    made.replicate.end(prediction)
    body = json.dumps(prediction.json()).encode()
    begun = time.time()
    httpx.post(prediction.body["webhook"], content=body, headers=signed(body)).raise_for_status()
    ended = wait_until(lambda: jobs.get(job_id)["finished_at"], "the generation", 60)
    return float((ended.timestamp() - begun) * 1000)


def milliseconds_of_bare(made: Farm, app: Celery, number: int) -> float:
    done = made.stack.folder / f"bare-{number}"
    url = f"{made.replicate.url}/files/{number}/picture.jpg"
    begun = time.time()
    app.send_task("picture", [url, f"{number}/0.jpg", str(done)], queue="bare")
    wait_until(lambda: done.exists() and done.read_text(), "the bare task", 60)
    return (float(done.read_text()) - begun) * 1000


@contextmanager
def bare_worker(made: Farm) -> Iterator[Celery]:
    worker = ControlledProcess(
        "bare", celery("bare_picture"), folder=made.stack.folder, environment=made.environment
    ).start()
    try:
        app = Celery("bare", broker=made.redis.url)
        yield app
        app.close()
    finally:
        worker.kill()


if __name__ == "__main__":
    main()
