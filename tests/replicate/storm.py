"""`python -m tests.replicate.storm --jobs 3000 --seed 1`: everything goes wrong at once; exits 1 if
a promise broke.

30 % of the webhooks are lost, 10 % of the creates are ambiguous, 5 % of the predictions fail,
questions go unanswered, users cancel, and worker and bridge are killed all along.
"""

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tasks.submission import SHOWN_WITHIN
from tests.replicate.behaviour import Behaviour, Create, ErrorResponse
from tests.replicate.farm import Farm, Killer, farm
from tests.replicate.predictions import Prediction
from tests.support.jobs import Jobs

LATE = SHOWN_WITHIN + 60  # seconds until the list shows a prediction of the residual window
FAILURES = ("Prediction interrupted; please retry (code: PA)", "NSFW content detected", "CUDA error")


@dataclass
class Weather:
    """The fate of a job's creates, the same for the same seed, job and number."""

    seed: int
    longest: float  # seconds a prediction takes
    happened: Counter[str] = field(default_factory=Counter)

    def plan(self, job_id: str, number: int) -> Behaviour:
        dice = random.Random(f"{self.seed} {job_id} {number}")
        behaviour = Behaviour(seconds=dice.uniform(0.1, self.longest))
        for change in (self.create, self.webhooks, self.ending):
            behaviour = change(behaviour, dice)
        return behaviour

    def create(self, behaviour: Behaviour, dice: random.Random) -> Behaviour:
        if dice.random() >= 0.10:
            return behaviour
        kinds: tuple[Create, ...] = ("drop after", "garble", "drop before", "refuse")
        kind = dice.choices(kinds, (5, 3, 1, 1))[0]
        self.happened[f"create: {'answers 500' if kind == 'refuse' else kind}"] += 1
        if kind in ("drop after", "garble") and dice.random() < 0.1:
            self.happened["  of these, seen too late"] += 1
            return replace(behaviour, create=kind, list_lag=LATE, webhooks=())
        return replace(behaviour, create=kind)

    def webhooks(self, behaviour: Behaviour, dice: random.Random) -> Behaviour:
        chance = dice.random()
        if not behaviour.webhooks or chance < 0.30:
            self.happened["webhook: lost"] += 1
            return replace(behaviour, webhooks=())
        if chance < 0.40:
            self.happened["webhook: twice"] += 1
            return replace(behaviour, webhooks=(("start", 0), ("completed", 0), ("completed", 0.5)))
        if chance < 0.45:
            self.happened["webhook: out of order"] += 1
            return replace(behaviour, webhooks=(("start", behaviour.seconds or 0 + 1), ("completed", 0)))
        if chance < 0.50:
            self.happened["webhook: forged"] += 1
            return replace(behaviour, webhooks=(("forged", 0), ("unsigned", 0)))
        return behaviour

    def ending(self, behaviour: Behaviour, dice: random.Random) -> Behaviour:
        chance = dice.random()
        if chance < 0.05:
            self.happened["prediction: failed"] += 1
            return replace(behaviour, status="failed", error=dice.choice(FAILURES))
        if chance < 0.06:
            self.happened["prediction: aborted"] += 1
            return replace(behaviour, status="aborted")
        return behaviour

    def fault(self, what: str) -> ErrorResponse | None:
        """Of every other request one in fifty meets this."""
        if what == "create" or random.random() >= 0.02:
            return None
        self.happened["question: unanswered"] += 1
        return random.choice((ErrorResponse(500), ErrorResponse(503), ErrorResponse(429, "resets in ~1s")))


@dataclass
class Storm:
    farm: Farm
    weather: Weather
    jobs: int
    kill_every: float
    most_kills: int = 1000
    is_impatient: bool = False
    canceled: int = 0
    kills: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    unfinished: int = -1

    def rage(self, timeout: float) -> None:
        self.farm.replicate.plan = self.weather.plan
        self.farm.replicate.weather = self.weather.fault
        begun = time.monotonic()
        with (
            self.farm.connect() as conn,
            Killer(self.farm.worker, self.kill_every, self.most_kills) as worker,
            Killer(self.farm.bridge, self.kill_every * 1.7, self.most_kills) as bridge,
        ):
            conn.execute("update private.provider_limits set starts_per_minute = 6000")
            with Jobs(self.farm.stack.database_url) as jobs:
                self.ask(jobs)
            until = begun + timeout
            while (left := self.farm.unfinished()) and time.monotonic() < until:
                if left < self.jobs * 0.05:  # the rest waits for its time; let it
                    worker.stop()
                    bridge.stop()
                if self.is_impatient and worker.is_done and bridge.is_done:
                    self.hurry()
                time.sleep(0.5)
        self.seconds = time.monotonic() - begun
        self.unfinished = self.farm.unfinished()
        self.kills.update(worker=worker.kills, bridge=bridge.kills)
        self.wait_for_cancels()

    def ask(self, jobs: Jobs) -> None:
        users = [jobs.add_user() for _ in range(20)]
        dice = random.Random(self.weather.seed)
        for number in range(self.jobs):
            user_id = users[number % len(users)]
            job_id = jobs.enqueue("fox", user_id, prompt=f"fox {number % 50}")
            if dice.random() < 0.02:
                jobs.cancel(job_id, user_id)
                self.canceled += 1

    def hurry(self) -> None:
        """Move waiting rows and their predictions into the past: no wait takes real time."""
        predictions = self.farm.replicate.predictions
        # At once: a worker that saw the row moved and its prediction not yet would order it again.
        with self.farm.connect() as conn, predictions.lock, conn.transaction():
            for job_id, ref in conn.execute(HURRY).fetchall():
                for prediction in predictions.of_job[job_id] if ref is None else []:
                    prediction.created -= 91

    def wait_for_cancels(self) -> None:
        until = time.monotonic() + 60
        while (
            self.farm.value("select count(*) from private.provider_cancellations")
            and time.monotonic() < until
        ):
            time.sleep(0.2)

    def violations(self) -> dict[str, int]:
        duplicates = self.duplicates()
        return {
            "jobs that did not end": self.unfinished,
            "jobs without exactly one generation": self.farm.value(NOT_ONE_GENERATION),
            "jobs not charged once or refunded": self.farm.value(NOT_SETTLED),
            "balances that differ from the ledger": self.farm.value(
                "select count(*) from private.ledger_mismatches()"
            ),
            "pictures of a failed job, or none of a succeeded": self.farm.value(WRONG_PICTURES),
            "duplicate predictions outside the window": sum(not in_window for in_window in duplicates),
            "predictions that no job wants and no worker canceled": self.farm.value(
                "select count(*) from private.provider_cancellations"
            ),
        }

    def duplicates(self) -> list[bool]:
        """For each prediction that was paid for beside another of its job: whether the documented
        window explains it.

        A prediction that failed by itself, or that a user's cancel ended, may be followed by
        another. One that the list did not show for so long that it was given up is the window.
        """
        found = []
        for predictions in self.farm.replicate.predictions.of_job.values():
            paid = [one for one in predictions if one.behaviour.status == "succeeded"]
            found += [self.is_in_window(one) for one in paid[:-1]]
        return found

    def is_in_window(self, prediction: Prediction) -> bool:
        return prediction.behaviour.list_lag > SHOWN_WITHIN

    def print_table(self) -> None:
        replicate = self.farm.replicate
        predictions = replicate.predictions.all.values()
        print(f"seed {self.weather.seed}: {self.jobs} jobs in {self.seconds:.0f} s")
        print(f"killed: worker {self.kills['worker']} times, bridge {self.kills['bridge']} times\n")
        table("what happened", sorted(self.weather.happened.items()))
        table("what was asked of the provider", sorted(Counter(replicate.requests).items()))
        duplicates = self.duplicates()
        table(
            "predictions",
            [
                ("made", len(predictions)),
                (
                    "failed or aborted by themselves",
                    sum(one.behaviour.status != "succeeded" for one in predictions),
                ),
                ("canceled because no job wanted them", sum(one.is_cancel_asked for one in predictions)),
                ("duplicates, in the documented window", sum(duplicates)),
                ("duplicates, outside of it", len(duplicates) - sum(duplicates)),
            ],
        )
        with self.farm.connect() as conn:
            ends = "select status || coalesce(' ' || error_code, ''), count(*) from public.jobs group by 1 order by 1"
            table("how the jobs ended", conn.execute(ends).fetchall())
            rows = conn.execute(
                "select 'attempt ' || attempt, count(*) from public.jobs group by 1 order by 1"
            )
            table("attempts", rows.fetchall())
        table("violations", list(self.violations().items()))


HURRY = """
update public.jobs
set run_at = null,
  submitted_at = case when provider_ref is null then submitted_at - interval '91 seconds' else submitted_at end
where status = 'waiting' and run_at > now() and submitted_at > now() - interval '60 seconds'
returning id::text, provider_ref
"""
NOT_ONE_GENERATION = """
select count(*) from public.jobs j left join public.generations g using (id)
where j.finished_at is not null and (g.id is null or g.status <> j.status or g.input <> j.input)
"""
NOT_SETTLED = """
select count(*) from public.jobs j left join (
  select job_id, sum(amount) as total, count(*) filter (where kind <> 'hold') as outcomes
  from public.credit_entries group by job_id
) c on c.job_id = j.id
where j.finished_at is not null
  and (c.outcomes, c.total) is distinct from (1::bigint, case j.status when 'succeeded' then -j.cost else 0 end::bigint)
"""
WRONG_PICTURES = """
select count(*) from public.generations g where g.status = 'succeeded' and not exists (
  select from storage.objects o where o.bucket_id = 'generations' and o.name = g.output -> 0 ->> 'path'
)
"""


def table(title: str, rows: list[Any]) -> None:
    print(title)
    for name, count in rows:
        print(f"  {name:<52}{count:>8}")
    print()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kill-every", type=float, default=20, help="seconds; a worker needs some to start")
    parser.add_argument("--timeout", type=float, default=1200, help="seconds until it is over in any case")
    parser.add_argument("--keep", type=Path, help="keep logs and data in this folder")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pilotlight-storm-") as temporary:
        folder = given.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        with farm(folder) as stack:
            storm = Storm(stack, Weather(given.seed, longest=8.0), given.jobs, given.kill_every)
            storm.rage(given.timeout)
            storm.print_table()
            return 0 if not any(storm.violations().values()) else 1


if __name__ == "__main__":
    sys.exit(main())
