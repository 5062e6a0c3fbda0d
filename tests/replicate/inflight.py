"""`python -m tests.replicate.inflight --jobs 10000`: so many predictions at once, with one bridge
and one worker.

Prints what each holds in memory, and how long the way from a webhook to the generation is beside
bare Celery's. Exits 1 if anything is lost or a process grows by more than 60 MB.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.replicate.behaviour import Behaviour
from tests.replicate.farm import Farm, farm
from tests.support.jobs import Jobs
from tests.support.processes import ControlledProcess, python
from tests.support.waiting import wait_until

MOST_GROWTH = 60.0  # MB


class InFlightRun:
    def __init__(self, stack: Farm, jobs: int, samples: int) -> None:
        self.farm, self.jobs, self.samples = stack, jobs, samples
        self.memory: dict[str, tuple[float, float]] = {}
        self.seconds: dict[str, float] = {}

    def run(self, conn_jobs: Jobs) -> None:
        replicate = self.farm.replicate
        self.warm_up(conn_jobs)
        print(f"{self.jobs} predictions in flight, one bridge, one worker\n")
        print(f"{'':<28}{'bridge MB':>10}{'worker MB':>10}")
        self.remember("before")

        replicate.plan = lambda job_id, number: Behaviour(seconds=None)
        begun = time.monotonic()
        for number in range(self.jobs):
            conn_jobs.enqueue("fox", prompt=f"fox {number}")
        self.wait(lambda: replicate.predictions.in_flight() == self.jobs)
        self.wait(lambda: self.waiting() == self.jobs)
        self.seconds["until all were in flight"] = time.monotonic() - begun
        self.remember("in flight")

        begun = time.monotonic()
        replicate.end_all()
        self.wait(lambda: self.farm.unfinished() == 0)
        self.seconds["until all were collected"] = time.monotonic() - begun
        self.remember("after")

    def warm_up(self, jobs: Jobs) -> None:
        self.farm.replicate.plan = lambda job_id, number: Behaviour()
        for _ in range(self.samples):
            jobs.enqueue("fox", prompt="a warm fox")
        self.wait(lambda: self.farm.unfinished() == 0)

    def wait(self, condition: Callable[[], bool]) -> None:
        wait_until(condition, "the jobs", timeout=3000, every=1)

    def waiting(self) -> int:
        return int(self.farm.value("select count(*) from public.jobs where status = 'waiting'"))

    def remember(self, moment: str) -> None:
        bridge, worker = self.farm.megabytes(self.farm.bridge), self.farm.megabytes(self.farm.worker)
        self.memory[moment] = (bridge, worker)
        print(f"{moment:<28}{bridge:>10.1f}{worker:>10.1f}", flush=True)

    def lost(self) -> int:
        return int(self.farm.value("select count(*) from public.generations where status <> 'succeeded'"))

    def extra_predictions(self) -> int:
        return len(self.farm.replicate.predictions.all) - int(
            self.farm.value("select count(*) from public.jobs")
        )

    def growth(self) -> tuple[float, float]:
        (bridge, worker), most = (
            self.memory["before"],
            [max(each) for each in zip(*self.memory.values(), strict=True)],
        )
        return most[0] - bridge, most[1] - worker

    def print_table(self) -> None:
        print(f"{'grew at most by':<28}{self.growth()[0]:>10.1f}{self.growth()[1]:>10.1f}\n")
        for what, seconds in self.seconds.items():
            print(f"{what:<28}{seconds:>10.1f} s{self.jobs / seconds:>8.0f} a second")
        print(f"\nlost {self.lost()}, predictions too many {self.extra_predictions()}\n")


def collect_latencies(stack: Farm, jobs: Jobs, samples: int) -> list[float]:
    """Milliseconds from the moment Replicate sends its webhook to the generation, one job after the
    other.
    """
    stack.replicate.plan = lambda job_id, number: Behaviour(seconds=None)
    found = []
    for _ in range(samples):
        job_id = jobs.enqueue("fox", prompt="a quick fox")
        wait_until(lambda: jobs.status(job_id) == "waiting", "the job to wait", every=0.005)  # noqa: B023
        (prediction,) = stack.replicate.of(job_id)
        sent = time.time()
        stack.replicate.end(prediction)
        wait_until(lambda: jobs.status(job_id) == "succeeded", "the job to end", every=0.005)  # noqa: B023
        query = "select extract(epoch from created_at)::float8 from public.generations where id = %s"
        row = jobs.conn.execute(query, (job_id,)).fetchone()
        assert row is not None
        found.append((row[0] - sent) * 1000)
    return found


def bare_latencies(stack: Farm, samples: int) -> tuple[list[float], list[float]]:
    """Milliseconds of a Celery round trip that does nothing, and of one that only collects a
    prediction.
    """
    import os

    os.environ.update(stack.environment)
    from tests.replicate import bare

    command = [
        *python("-m", "celery"),
        "-A",
        "tests.replicate.bare",
        "worker",
        "--pool",
        "threads",
        "-Q",
        "bare",
    ]
    command += ["--without-mingle", "--without-gossip"]
    process = ControlledProcess(
        "bare", command, folder=stack.stack.folder, environment=stack.environment
    ).start()
    try:
        ids = list(stack.replicate.predictions.all)[:samples]
        bare.nothing.delay().get(timeout=60)
        nothing = [timed(lambda: bare.nothing.delay().get(timeout=60)) for _ in ids]
        collecting = [timed(lambda: bare.collect.delay(each).get(timeout=60)) for each in ids]  # noqa: B023
    finally:
        process.kill()
    return nothing, collecting


def timed(action: Callable[[], object]) -> float:
    begun = time.perf_counter()
    action()
    return (time.perf_counter() - begun) * 1000


def print_latencies(ours: list[float], nothing: list[float], collecting: list[float]) -> None:
    print(f"{'':<52}{'p50 ms':>8}{'p95 ms':>8}")
    named = {
        "webhook to generation": ours,
        "bare Celery: a round trip that collects and stores": collecting,
        "bare Celery: a round trip that does nothing": nothing,
    }
    for name, times in named.items():
        print(f"{name:<52}{statistics.median(times):>8.1f}{sorted(times)[int(len(times) * 0.95)]:>8.1f}")
    print(
        f"{'ratio to the one that collects':<52}{statistics.median(ours) / statistics.median(collecting):>8.2f}\n"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=10_000)
    parser.add_argument(
        "--samples", type=int, default=100, help="jobs one after the other, for the latencies"
    )
    parser.add_argument("--keep", type=Path, help="keep logs and data in this folder")
    given = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="pilotlight-inflight-") as temporary,
        farm(given.keep or Path(temporary), lease_seconds=60) as stack,
        stack.connect() as conn,
        Jobs(stack.stack.database_url) as jobs,
    ):
        run = InFlightRun(stack, given.jobs, given.samples)
        conn.execute("update private.provider_limits set starts_per_minute = 600000")
        run.warm_up(jobs)
        ours = collect_latencies(stack, jobs, given.samples)
        print_latencies(ours, *bare_latencies(stack, given.samples))
        run.run(jobs)
        run.print_table()
        return 0 if run.lost() == 0 and max(run.growth()) < MOST_GROWTH else 1


if __name__ == "__main__":
    sys.exit(main())
