"""Random lives of random jobs: the invariants hold for any actor, order, delay and repetition."""

import json
import uuid
from collections import Counter
from random import Random
from typing import ClassVar
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from tests.sql.invariants import ARROWS, Arrow, History, Snapshot, check_moment, check_step, is_paid
from tests.sql.shop import Shop
from tests.support.actors import ENDED, BridgeRole, Operator, User, WorkerRole, code_of_refusal
from tests.support.all_actors import Actors

EXAMPLES, STEPS = 200, 80
CAP = 8  # unfinished jobs of one user

Claim = tuple[UUID, int]

PROMPTS = [{"prompt": "a fox"}, {"prompt": "a dog"}]
DELAYS = ["-1 minute", "0 seconds", "1 hour"]
OPEN = ("queued", "running", "waiting")

seeds = st.integers(0, 2**16)


# The relative frequency of each action.
ACTIONS = {
    "enqueue": 5, "repeat": 2, "cancel": 2, "look_and_delete": 1, "report": 1,
    "dispatch": 2, "send_again": 1, "rescue": 4,
    "receive": 8, "renew": 1, "submit": 3, "wait": 4, "retry": 2, "release": 1, "complete": 2, "fail": 1,
    "webhook": 2, "time_passes": 5, "the_clock_is_set_back": 1, "prune": 1, "grant": 1, "pay": 1, "leave": 1,
    "sell": 2, "subscribe": 1, "give_back": 2, "revoke": 1,
}  # fmt: skip
SHOPPING = {"sell", "subscribe", "give_back", "revoke"}
NEED_A_CLAIM = {"renew", "submit", "wait", "retry", "release", "complete", "fail", "webhook"}


class Lives(RuleBasedStateMachine):
    actors: ClassVar[Actors]
    examples: ClassVar[int] = 0
    steps: ClassVar[int] = 0
    taken: ClassVar[Counter[Arrow]] = Counter()

    @initialize()
    def set_the_stage(self) -> None:
        Lives.examples += 1
        self.actors.reset()
        self.operator: Operator = self.actors.operator
        self.workers = [self.actors.worker, self.actors.another(WorkerRole)]
        self.bridges = [self.actors.bridge, self.actors.another(BridgeRole)]
        self.operator.configure(max_unfinished_jobs=CAP)
        free, paid = self.actors.user(credits=20), self.actors.user(credits=2, is_paid=True)
        anonymous = self.actors.user(credits=3, is_anonymous=True)
        self.users = [free, self.actors.session(free.id), paid, anonymous]
        self.shop = Shop(self.actors, self.users)
        self.history = History()
        self.claims: list[Claim] = []  # all claims of workers; most are stale
        self.seen = Snapshot.take(self.operator)

    # One rule for all: of many rules, Hypothesis would omit some for a whole example.
    @rule(action=st.sampled_from(sorted(Counter(ACTIONS).elements())), seed=seeds)
    def an_actor_acts(self, action: str, seed: int) -> None:
        if not self.history.requests:
            action = "enqueue"
        elif not self.claims and action in NEED_A_CLAIM:
            action = "receive"
        self.dice = Random(seed)
        if action in SHOPPING:
            getattr(self.shop, action)(self.dice)
        else:
            getattr(self, action)()

    def some_job(self, *statuses: str) -> UUID:
        """Choose a job: mostly one where something can happen, sometimes any that ever existed."""
        known = list(self.history.requests)
        fitting = [job_id for job_id in known if self.seen.status(job_id) in statuses]
        return self.dice.choice(fitting if fitting and self.dice.random() < 0.8 else known)

    def some_claim(self) -> Claim:
        """Choose a claim: mostly a valid one, otherwise any, of which most are stale."""
        good = [claim for claim in self.claims if self.holds(claim)]
        return self.dice.choice(good if good and self.dice.random() < 0.7 else self.claims)

    def holds(self, claim: Claim, *repeated: str) -> bool:
        """Whether a claim is valid, or its last call may be repeated in one of these statuses."""
        job = self.seen.jobs.get(claim[0])
        return job is not None and job["fence"] == claim[1] and job["status"] in ("running", *repeated)

    def some_user(self, job_id: UUID) -> User:
        """Choose a user: mostly the owner of the job, on any connection."""
        owners = [user for user in self.users if user.id == self.history.requests[job_id][0]]
        return self.dice.choice(owners if self.dice.random() < 0.8 else self.users)

    # Actions of users.

    def enqueue(self) -> None:
        user, job_id, given = self.dice.choice(self.users), uuid.uuid4(), self.dice.choice(PROMPTS)
        code = code_of_refusal(lambda: user.enqueue(job_id, input=given))
        account, jobs = self.seen.accounts.get(user.id), self.seen.jobs.values()
        if account is None:
            assert code == "unauthenticated"
        elif sum(UUID(job["user_id"]) == user.id and job["status"] in OPEN for job in jobs) >= CAP:
            assert code == "too_many_jobs"
        elif account["credits"] < 1 and not is_paid(account):
            assert code == "insufficient_credits"
        else:
            assert code is None
            self.history.requests[job_id] = (user.id, given)

    def repeat(self) -> None:
        job_id, given = self.some_job(), self.dice.choice(PROMPTS)
        user = self.some_user(job_id)
        code = code_of_refusal(lambda: user.enqueue(job_id, input=given))
        if user.id not in self.seen.accounts:
            assert code == "unauthenticated"
        elif self.history.requests[job_id][0] in self.seen.accounts:
            assert code == (None if self.history.requests[job_id] == (user.id, given) else "id_conflict")
        elif code is None:  # an id is remembered as long as its account exists
            self.history.requests[job_id] = (user.id, given)
            self.history.deleted_generations.discard(job_id)

    def cancel(self) -> None:
        job_id = self.some_job(*OPEN)
        user = self.some_user(job_id)
        code = code_of_refusal(lambda: user.cancel(job_id))
        is_mine = self.history.requests[job_id][0] == user.id
        if user.id not in self.seen.accounts:
            assert code == "unauthenticated"
        else:
            assert code == (None if is_mine else "unknown_job")
        if self.seen.status(job_id) == "running":
            assert self.operator.status(job_id) == "running", "its worker is only asked to stop"

    def look_and_delete(self) -> None:
        job_id = self.some_job(*ENDED)
        user = self.some_user(job_id)
        if user.id not in self.seen.accounts:
            assert code_of_refusal(lambda: user.status(job_id)) == "unauthenticated"
            return
        is_mine = self.history.requests[job_id][0] == user.id
        is_there = job_id in self.seen.jobs or job_id in self.seen.generations
        assert [job["id"] for job in user.status(job_id)] == ([str(job_id)] if is_mine and is_there else [])
        if user.delete_generation(job_id):
            assert is_mine
            self.history.deleted_generations.add(job_id)

    def report(self) -> None:
        job_id = self.some_job(*ENDED)
        user = self.some_user(job_id)
        code = code_of_refusal(lambda: user.report(job_id))
        is_there = job_id in self.seen.generations and self.history.requests[job_id][0] == user.id
        is_known = any(UUID(report["generation_id"]) == job_id for report in self.seen.reports)
        if user.id not in self.seen.accounts:
            assert code == "unauthenticated"
        elif not is_known:
            assert code == (None if is_there else "unknown_job")

    # Actions of bridges. One may die after it published: then its messages are sent, but no job is
    # marked as dispatched.

    def dispatch(self) -> None:
        bridge, limit, window = self.dice.choice(self.bridges), self.dice.randrange(6), self.dice.randrange(9)
        with bridge.conn.transaction(force_rollback=self.dice.random() < 0.2):
            sent = bridge.dispatch(limit, window)
        abandoned = {
            row["job_id"] for row in self.operator.rows("select job_id from private.provider_cancellations")
        }
        outstanding = sum(job["dispatched_at"] is not None for job in self.seen.jobs.values())
        assert len(set(sent) - abandoned) <= max(0, min(limit, window - outstanding))

    def send_again(self) -> None:
        self.dice.choice(self.bridges).redispatch()

    def rescue(self) -> None:
        for job_id, status in self.dice.choice(self.bridges).rescue().items():
            assert self.operator.status(job_id) == status

    # Actions of workers. A message may come late, twice, or for a job that was never dispatched.

    def receive(self) -> None:
        job_id = self.some_job("queued", "waiting")
        before, job = self.seen.jobs.get(job_id), self.dice.choice(self.workers).claim(job_id)
        if job is None:
            assert before is None or before["status"] not in ("queued", "waiting") or self.is_late(job_id)
            return
        assert before is not None
        assert before["status"] in ("queued", "waiting")
        assert (job["fence"], json.loads(job["request"])) == (before["fence"] + 1, before["input"])
        self.claims.append((job_id, job["fence"]))

    def is_late(self, job_id: UUID) -> bool:
        query = "select deadline_at <= clock_timestamp() from public.jobs where id = %s"
        return bool(self.operator.value(query, job_id))

    def renew(self) -> None:
        claim, progress = self.some_claim(), self.dice.choice([None, 0.5, 0.9])
        state = self.dice.choice(self.workers).renew(*claim, progress=progress)
        assert (state != "lost") == self.holds(claim)

    def submit(self) -> None:
        claim = self.some_claim()
        assert not self.dice.choice(self.workers).record_submission(*claim) or self.holds(claim)

    def wait(self) -> None:
        claim = self.some_claim()
        won = self.dice.choice(self.workers).wait(*claim, f"ref-{claim}", self.dice.choice(DELAYS))
        assert won == self.holds(claim, "waiting")

    def retry(self) -> None:
        claim, costs = self.some_claim(), self.dice.random() < 0.5
        job = self.seen.jobs.get(claim[0])
        if job and costs and job["attempt"] == job["max_attempts"]:
            return
        won = self.dice.choice(self.workers).retry(*claim, self.dice.choice(DELAYS), costs_attempt=costs)
        assert won == (self.holds(claim, "queued") and not (job and job["cancel_requested_at"]))

    def release(self) -> None:
        claim = self.some_claim()
        assert self.dice.choice(self.workers).release(*claim) == self.holds(claim, "queued", "waiting")

    def complete(self) -> None:
        claim = self.some_claim()
        assert self.dice.choice(self.workers).complete(*claim) == self.holds(claim, "succeeded")

    def fail(self) -> None:
        claim, code = self.some_claim(), self.dice.choice(["content_rejected", "canceled"])
        assert self.dice.choice(self.workers).fail(*claim, code) == self.holds(claim, "failed", "canceled")

    # Other events.

    def webhook(self) -> None:
        job_id, fence = self.some_claim()
        woken = self.actors.service.wake(job_id, f"ref-{(job_id, fence)}")
        assert not woken or self.seen.status(job_id) in ("running", "waiting")

    def time_passes(self) -> None:
        column = self.dice.choice(
            ["lease_expires_at", "lease_expires_at", "deadline_at", "run_at", "dispatched_at"]
        )
        self.move(self.some_job(*OPEN), column, "- interval '2 hours'")

    def the_clock_is_set_back(self) -> None:
        job_id = self.some_job(*OPEN)
        for column in ("updated_at", "deadline_at"):
            self.move(job_id, column, "+ interval '1 minute'")

    def move(self, job_id: UUID, column: str, change: str) -> None:
        if self.seen.status(job_id) in OPEN:
            self.operator.move(job_id, **{column: f"{column} {change}"})
            self.seen = Snapshot.take(self.operator)

    def prune(self) -> None:
        self.operator.prune("-1 hour")
        assert not any(job["status"] in ENDED for job in Snapshot.take(self.operator).jobs.values())

    def grant(self) -> None:
        user = self.dice.choice(self.users)
        code_of_refusal(lambda: self.actors.service.grant(user.id, 2, f"receipt of {user.id}"))

    def pay(self) -> None:
        query = "update public.entitlements set is_paid = not is_paid where user_id = %s"
        self.actors.service.conn.execute(query, (self.dice.choice(self.users).id,))

    def leave(self) -> None:
        if len(self.seen.accounts) == 3 and self.dice.random() < 0.3:
            self.dice.choice(self.users).delete_account()

    @invariant()
    def all_is_well(self) -> None:
        Lives.steps += 1
        now = Snapshot.take(self.operator)
        check_moment(now, self.history)
        Lives.taken.update(check_step(self.seen, now))
        self.seen = now

    def teardown(self) -> None:
        """Check that every accepted job ends, from any state."""
        if not hasattr(self, "seen"):
            return
        for job_id in self.seen.jobs:
            self.move(job_id, "deadline_at", "- interval '2 hours'")
        self.bridges[0].rescue()
        now = Snapshot.take(self.operator)
        check_moment(now, self.history)
        assert all(job["status"] in ENDED for job in now.jobs.values())


def test_the_invariants_hold_in_every_interleaving(known: Actors, capsys: pytest.CaptureFixture[str]) -> None:
    Lives.actors = known
    run_state_machine_as_test(
        Lives,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            derandomize=True,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    with capsys.disabled():
        print(f"\n{Lives.steps} steps in {Lives.examples} examples took {Lives.taken.total()} arrows:")
        for (start, end), times in sorted(Lives.taken.items()):
            print(f"  {start:8} -> {end:10}{times:6}")
    assert set(Lives.taken) == ARROWS, "an arrow that is never taken is not tested"
