"""Concurrent changes of one row: exactly one wins each round, and the loser learns it.

There is no deadlock: it would be an error of one action, and so fail the round.
"""

# ruff: noqa: B023  # the actions of a round are done before its variables change

import random
import uuid
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import psycopg
import pytest

from tests.sql.race import racing
from tests.support.actors import ENDED, BridgeRole, Operator, Service, User, WorkerRole, code_of_refusal
from tests.support.all_actors import Actors

ROUNDS = 200


@pytest.fixture(autouse=True)
def books_are_right(actors: Actors) -> Iterator[None]:
    actors.operator.configure(max_unfinished_jobs=10_000)
    yield
    assert actors.operator.rows("select * from private.ledger_mismatches()") == []
    assert not actors.operator.rows(
        "select from public.jobs j where (finished_at is null) = exists"
        " (select from public.credit_entries where job_id = j.id and kind in ('settle', 'refund'))"
    )


@pytest.fixture
def rich(actors: Actors) -> User:
    return actors.user(credits=10_000)


def test_a_job_is_claimed_by_one_of_many(actors: Actors, rich: User) -> None:
    workers = [actors.another(WorkerRole) for _ in range(6)]
    with racing(6) as start:
        for _ in range(ROUNDS):
            job_id = rich.job()
            claims = start(*(lambda w=worker: w.claim(job_id) for worker in workers))
            assert [claim["fence"] for claim in claims if claim] == [1]


def test_a_cancel_that_meets_a_claim_cancels_or_asks_to_stop(actors: Actors, rich: User) -> None:
    with racing(2) as start:
        for _ in range(ROUNDS):
            job_id = rich.job()
            answer, claim = start(lambda: rich.cancel(job_id), lambda: actors.worker.claim(job_id))
            if claim is None:
                assert answer["job"]["status"] == "canceled"
            else:
                assert answer["job"]["status"] == "running"
                assert actors.worker.renew(job_id, claim["fence"]) == "cancel_requested"


def test_a_job_ends_once_however_many_end_it(actors: Actors, rich: User) -> None:
    other, reader = actors.another(WorkerRole), actors.session(rich.id)
    with racing(6) as start:
        for _ in range(ROUNDS):
            job_id, fence = actors.job(rich, "running")
            actors.operator.lose_worker(job_id)
            completed, failed, rescued, _, (seen,), _ = start(
                lambda: actors.worker.complete(job_id, fence),
                lambda: other.fail(job_id, fence),
                lambda: actors.bridge.rescue(),
                lambda: rich.cancel(job_id),
                lambda: reader.status(job_id),
                lambda: actors.service.wake(job_id, "ref"),
            )
            assert (seen["status"] in ENDED) == (seen["generation"] is not None), "one moment, one truth"
            status = actors.operator.status(job_id)
            assert [completed, failed].count(True) + len(rescued) <= 1 or (status == "canceled" and failed)
            assert status == ("succeeded" if completed else status)
            assert len(actors.operator.ledger(job_id)) == (2 if status in ENDED else 1)


def test_a_completion_that_meets_the_rescue_wins_or_is_told(actors: Actors, rich: User) -> None:
    wins = set()
    with racing(2) as start:
        for _ in range(ROUNDS):
            job_id, fence = actors.job(rich, "running")
            actors.operator.lose_worker(job_id)
            completed, rescued = start(
                lambda: actors.worker.complete(job_id, fence), lambda: actors.bridge.rescue()
            )
            assert completed == (job_id not in rescued)
            assert actors.operator.status(job_id) == ("succeeded" if completed else "queued")
            wins.add(completed)
    assert wins == {True, False}, "both came first some time, or this was no race"


def test_a_renewal_that_meets_the_rescue_keeps_the_job_or_is_told(actors: Actors, rich: User) -> None:
    with racing(2) as start:
        for _ in range(ROUNDS):
            job_id, fence = actors.job(rich, "running")
            actors.operator.lose_worker(job_id)
            renewed, rescued = start(
                lambda: actors.worker.renew(job_id, fence), lambda: actors.bridge.rescue()
            )
            assert (renewed == "lost") == (job_id in rescued)


def test_a_retry_that_meets_the_rescue_costs_no_second_attempt(actors: Actors, rich: User) -> None:
    with racing(2) as start:
        for _ in range(ROUNDS):
            job_id, fence = actors.job(rich, "running")
            actors.operator.lose_worker(job_id)
            start(lambda: actors.worker.retry(job_id, fence), lambda: actors.bridge.rescue())
            job = actors.operator.job(job_id)
            assert (job["status"], job["attempt"]) == ("queued", 1)


def test_a_webhook_that_meets_the_worker_on_its_way_to_wait_is_never_lost(actors: Actors, rich: User) -> None:
    with racing(2) as start:
        for _ in range(ROUNDS):
            job_id, fence = actors.job(rich, "running")
            actors.worker.record_submission(job_id, fence)
            start(
                lambda: actors.worker.wait(job_id, fence, f"ref-{job_id}", "1 hour"),
                lambda: actors.service.wake(job_id, f"ref-{job_id}"),
            )
            assert actors.bridge.dispatch() == [job_id]


def test_two_jobs_never_own_one_piece_of_work(actors: Actors, rich: User) -> None:
    other = actors.another(WorkerRole)

    def wait(worker: WorkerRole, job_id: UUID, ref: str) -> bool:
        try:
            return worker.wait(job_id, 1, ref, "1 hour")
        except psycopg.errors.UniqueViolation:
            return False

    with racing(2) as start:
        for number in range(ROUNDS):
            first, second = actors.job(rich, "running")[0], actors.job(rich, "running")[0]
            ref = f"ref-{number}"
            start(lambda: wait(actors.worker, first, ref), lambda: wait(other, second, ref))
            assert [actors.operator.job(job_id)["provider_ref"] for job_id in (first, second)].count(ref) == 1


def test_one_request_sent_many_times_at_once_is_one_job_at_one_price(actors: Actors, rich: User) -> None:
    sessions = [rich, *(actors.session(rich.id) for _ in range(3))]
    with racing(4) as start:
        for number in range(1, ROUNDS + 1):
            job_id = uuid.uuid4()
            answers = start(*(lambda s=session: s.enqueue(job_id) for session in sessions))
            assert all(answer == answers[0] for answer in answers)
            assert actors.operator.credits(rich.id) == 10_000 - number


def test_an_id_that_two_users_ask_for_at_once_is_one_users(actors: Actors, rich: User) -> None:
    other = actors.user(credits=10_000)
    with racing(2) as start:
        for _ in range(ROUNDS):
            job_id = uuid.uuid4()
            codes = start(
                lambda: code_of_refusal(lambda: rich.enqueue(job_id)),
                lambda: code_of_refusal(lambda: other.enqueue(job_id)),
            )
            assert sorted(codes, key=str) == [None, "id_conflict"]
            assert len(actors.operator.ledger(job_id)) == 1


def test_the_last_credit_is_spent_once(actors: Actors) -> None:
    with racing(4) as start:
        for _ in range(ROUNDS // 4):
            user = actors.user(credits=1)
            sessions = [user, *(actors.session(user.id) for _ in range(3))]
            codes = start(*(lambda s=session: code_of_refusal(s.job) for session in sessions))
            assert sorted(codes, key=str) == [None, *["insufficient_credits"] * 3]
            actors.free += sessions


def test_the_bound_on_unfinished_jobs_holds_for_requests_at_once(actors: Actors) -> None:
    actors.operator.configure(max_unfinished_jobs=2)
    with racing(4) as start:
        for _ in range(ROUNDS // 4):
            user = actors.user()
            sessions = [user, *(actors.session(user.id) for _ in range(3))]
            codes = start(*(lambda s=session: code_of_refusal(s.job) for session in sessions))
            assert sorted(codes, key=str) == [None, None, "too_many_jobs", "too_many_jobs"]
            actors.free += sessions


def test_a_purchase_told_many_times_at_once_is_granted_once(actors: Actors, rich: User) -> None:
    services = [actors.service, *(actors.another(Service) for _ in range(3))]
    with racing(4) as start:
        for number in range(1, ROUNDS + 1):
            balances = start(*(lambda s=service: s.grant(rich.id, 5, f"r{number}") for service in services))
            assert balances == [10_000 + 5 * number] * 4


def test_a_receipt_that_two_users_show_at_once_is_one_users(actors: Actors, rich: User) -> None:
    other, poor = actors.another(Service), actors.user(credits=1)

    def grant(service: Service, user: User, ref: str) -> bool:
        try:
            return service.grant(user.id, 5, ref) > 0
        except psycopg.Error:
            return False

    with racing(2) as start:
        for number in range(ROUNDS):
            ref = f"receipt {number}"
            won = start(lambda: grant(actors.service, rich, ref), lambda: grant(other, poor, ref))
            assert sorted(won) == [False, True]


def test_bridges_that_dispatch_at_once_share_the_work(actors: Actors, rich: User) -> None:
    bridges = [actors.bridge, *(actors.another(BridgeRole) for _ in range(3))]
    with racing(4) as start:
        for _ in range(ROUNDS // 4):
            jobs = [rich.job() for _ in range(20)]
            sent: list[UUID] = []
            while len(sent) < len(jobs):
                for batch in start(*(lambda b=bridge: b.dispatch(3) for bridge in bridges)):
                    sent += batch
            assert sorted(sent) == sorted(jobs)
            for job_id in jobs:
                rich.cancel(job_id)


@pytest.mark.parametrize("status", ["queued", "running", "waiting"])
def test_a_deleted_accounts_jobs_end_quietly_in_every_state(actors: Actors, status: str) -> None:
    """The deletion runs beside all others that may change the job, on separate connections."""
    workers, bridge, operator = (
        [actors.another(WorkerRole) for _ in range(3)],
        actors.another(BridgeRole),
        actors.another(Operator),
    )
    actions: dict[str, Callable[[User, UUID, int], object]] = {
        "enqueue": lambda user, job_id, fence: code_of_refusal(lambda: user.enqueue(job_id)),
        "cancel": lambda user, job_id, fence: code_of_refusal(lambda: user.cancel(job_id)),
        "claim": lambda user, job_id, fence: actors.worker.claim(job_id),
        "complete": lambda user, job_id, fence: workers[0].complete(job_id, fence),
        "fail": lambda user, job_id, fence: workers[1].fail(job_id, fence),
        "wait": lambda user, job_id, fence: workers[2].wait(job_id, fence, str(uuid.uuid4())),
        "rescue": lambda user, job_id, fence: actors.bridge.rescue(),
        "dispatch": lambda user, job_id, fence: bridge.dispatch(),
        "wake": lambda user, job_id, fence: actors.service.wake(job_id, str(uuid.uuid4())),
        "prune": lambda user, job_id, fence: operator.prune(),
    }
    with racing(4) as start:
        for _ in range(ROUNDS):
            user = actors.user()
            job_id, fence = actors.job(user, status)
            actors.job(user, random.choice(ENDED))
            actors.operator.move(job_id, deadline_at="clock_timestamp()")
            chosen = random.sample(sorted(actions), 3)
            start(
                lambda: actors.operator.delete_user(user.id),
                *(lambda d=actions[name]: d(user, job_id, fence) for name in chosen),
            )
            assert not actors.operator.rows("select from public.jobs where user_id = %s", user.id), chosen
            assert not actors.operator.rows("select from public.generations where user_id = %s", user.id), (
                chosen
            )
            actors.free.append(user)


def test_rescues_prunes_and_a_clean_up_of_many_accounts_never_wait_in_a_circle(actors: Actors) -> None:
    second, pruner, cleaner = actors.another(BridgeRole), actors.another(Operator), actors.another(Operator)

    def clean_up() -> Any:
        return cleaner.conn.execute("delete from auth.users where is_anonymous").rowcount

    with racing(5) as start:
        for _ in range(ROUNDS // 5):
            users = [actors.user(is_anonymous=number % 2 == 0) for number in range(6)]
            for user in users:
                for status in ("running", "succeeded", "running"):
                    actors.job(user, status)
                actors.free.append(user)
            late = "select id from public.jobs where status = 'running' order by random()"
            for row in actors.operator.rows(late):
                actors.operator.move(
                    row["id"], lease_expires_at="clock_timestamp() - random() * interval '1 hour'"
                )
            start(
                lambda: actors.bridge.rescue(), lambda: second.rescue(), clean_up,
                lambda: actors.operator.prune(), lambda: pruner.prune(),
            )  # fmt: skip
            left = actors.operator.value("select count(*) from public.jobs where lease_expires_at < now()")
            rescued = actors.bridge.rescue()
            assert len(rescued) == left, "what was busy is found by the next pass"
            actors.operator.reset()
            actors.operator.configure(max_unfinished_jobs=10_000)
