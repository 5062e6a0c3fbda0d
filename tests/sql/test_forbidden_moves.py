"""Forbidden transitions: no attempt at one changes anything."""

import uuid
from collections.abc import Callable
from itertools import product
from typing import Any
from uuid import UUID

import psycopg
import pytest

from tests.sql.invariants import ARROWS
from tests.support.actors import ENDED, User, WorkerRole
from tests.support.all_actors import Actors

STATUSES = ["queued", "running", "waiting", *ENDED]


LATE: dict[str, Callable[[WorkerRole, UUID, Any], object]] = {
    "renew": lambda worker, job_id, fence: worker.renew(job_id, fence) != "lost",
    "record_submission": lambda worker, job_id, fence: worker.record_submission(job_id, fence),
    "wait": lambda worker, job_id, fence: worker.wait(job_id, fence, "late"),
    "retry": lambda worker, job_id, fence: worker.retry(job_id, fence),
    "complete": lambda worker, job_id, fence: worker.complete(job_id, fence),
    "fail": lambda worker, job_id, fence: worker.fail(job_id, fence),
}


@pytest.mark.parametrize(("action", "fence"), list(product(LATE, [-1, 0, 2, None])))
def test_no_actor_writes_under_another_fence(
    actors: Actors, user: User, action: str, fence: int | None
) -> None:
    job_id, mine = actors.job(user, "running")
    assert mine == 1
    before = actors.operator.job(job_id)
    assert not LATE[action](actors.worker, job_id, fence)
    assert actors.operator.job(job_id) == before
    assert actors.operator.generation(job_id) is None


@pytest.mark.parametrize(("action", "status"), list(product(LATE, ["queued", "waiting", *ENDED])))
def test_no_actor_writes_a_job_that_is_not_running(
    actors: Actors, user: User, action: str, status: str
) -> None:
    job_id, fence = actors.job(user, status)
    before = (actors.operator.job(job_id), actors.operator.generation(job_id), actors.operator.ledger(job_id))
    # The call that led to this status may be repeated with the same fence: its reply may be lost.
    is_repeated = (action, status) in {
        ("wait", "waiting"), ("complete", "succeeded"), ("fail", "failed"), ("fail", "canceled"), ("retry", "queued"),
    }  # fmt: skip
    if action != "wait":
        assert bool(LATE[action](actors.worker, job_id, fence)) == is_repeated
    else:
        assert actors.worker.wait(job_id, fence, f"ref-{job_id}") == is_repeated
    assert (
        actors.operator.job(job_id),
        actors.operator.generation(job_id),
        actors.operator.ledger(job_id),
    ) == before


@pytest.mark.parametrize("action", LATE)
def test_nothing_happens_to_a_job_that_is_not_there(actors: Actors, action: str) -> None:
    assert not LATE[action](actors.worker, uuid.uuid4(), 1)


@pytest.mark.parametrize("action", LATE)
def test_a_worker_that_was_rescued_from_cannot_write_once_another_has_the_job(
    actors: Actors, user: User, action: str
) -> None:
    job_id, late = actors.job(user, "running")
    actors.operator.lose_worker(job_id)
    actors.bridge.rescue()
    fence = actors.worker.claimed(job_id)
    assert not LATE[action](actors.worker, job_id, late)
    assert actors.worker.complete(job_id, fence)


@pytest.mark.parametrize("status", ENDED)
def test_rescue_dispatch_and_cancel_leave_an_ended_job_alone(actors: Actors, user: User, status: str) -> None:
    job_id, _ = actors.job(user, status)
    before = actors.operator.job(job_id)
    assert (actors.bridge.dispatch(), actors.bridge.redispatch(), actors.bridge.rescue()) == ([], 0, {})
    user.cancel(job_id)
    assert actors.operator.job(job_id) == before


@pytest.mark.parametrize(
    "call",
    [
        lambda worker, job_id, fence: worker.claim(job_id, None),
        lambda worker, job_id, fence: worker.renew(job_id, fence, None),
        lambda worker, job_id, fence: worker.complete(job_id, fence, None),
        lambda worker, job_id, fence: worker.complete(job_id, fence, {"path": "not a list"}),
        lambda worker, job_id, fence: worker.fail(job_id, fence, None),
        lambda worker, job_id, fence: worker.fail(job_id, fence, "internal", None),
    ],
)
def test_a_worker_that_says_half_of_it_is_refused_and_changes_nothing(
    actors: Actors, user: User, call: Callable[[WorkerRole, UUID, int], object]
) -> None:
    job_id, fence = actors.job(user, "running")
    if "claim" in call.__code__.co_names:
        actors.worker.retry(job_id, fence)
    before = actors.operator.job(job_id)
    with pytest.raises(psycopg.errors.IntegrityError):
        call(actors.worker, job_id, fence)
    assert actors.operator.job(job_id) == before


@pytest.mark.parametrize(
    ("start", "end"), sorted(set(product(STATUSES, STATUSES)) - ARROWS - {(s, s) for s in STATUSES})
)
def test_no_hand_can_take_an_arrow_that_does_not_exist(
    actors: Actors, user: User, start: str, end: str
) -> None:
    job_id, _ = actors.job(user, start)
    before = actors.operator.job(job_id)
    make_valid = {
        "lease_expires_at": "now()" if end == "running" else "null",
        "submitted_at": "now()" if end == "waiting" else "submitted_at",
        "finished_at": "now()" if end in ENDED else "null",
        "error_code": "'internal'" if end in ("failed", "canceled") else "null",
        "error_message": "''" if end in ("failed", "canceled") else "null",
    }
    with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match=f"cannot go from {start} to {end}"):
        actors.operator.move(job_id, status=f"'{end}'", **make_valid)
    assert actors.operator.job(job_id) == before


@pytest.mark.parametrize("status", ENDED)
def test_no_hand_can_change_what_has_ended(actors: Actors, user: User, status: str) -> None:
    job_id, _ = actors.job(user, status)
    with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match=f"cannot go from {status}"):
        actors.operator.move(job_id, input="'{}'")


def test_no_hand_can_lower_the_fence(actors: Actors, user: User) -> None:
    job_id, _ = actors.job(user, "waiting")
    with pytest.raises(psycopg.errors.IntegrityConstraintViolation):
        actors.operator.move(job_id, fence="fence - 1")


@pytest.mark.parametrize(
    ("constraint", "start", "change"),
    [
        ("running_jobs_have_a_lease", "running", {"lease_expires_at": "null"}),
        ("running_jobs_have_a_lease", "queued", {"lease_expires_at": "now()"}),
        ("only_unclaimed_jobs_are_scheduled_or_dispatched", "running", {"run_at": "now()"}),
        ("only_unclaimed_jobs_are_scheduled_or_dispatched", "running", {"dispatched_at": "now()"}),
        ("scheduled_jobs_are_not_dispatched", "queued", {"run_at": "now()", "dispatched_at": "now()"}),
        ("waiting_jobs_were_submitted", "waiting", {"submitted_at": "null", "provider_ref": "null"}),
        ("providers_know_only_submitted_jobs", "queued", {"provider_ref": "'ref'"}),
        ("finished_jobs_say_when", "queued", {"finished_at": "now()"}),
        ("finished_jobs_say_when", "running", {"status": "'succeeded'", "lease_expires_at": "null"}),
        ("unsuccessful_jobs_say_why", "queued", {"status": "'failed'", "finished_at": "now()"}),
        ("unsuccessful_jobs_say_why", "queued",
            {"status": "'failed'", "finished_at": "now()", "error_code": "'internal'"}),
        ("attempts_stay_in_bounds", "queued", {"attempt": "4"}),
        ("attempts_stay_in_bounds", "queued", {"attempt": "-1"}),
        ("progress_is_a_fraction", "running", {"progress": "1.1"}),
        ("inputs_are_objects", "queued", {"input": "'[]'"}),
        ("costs_are_not_negative", "queued", {"cost": "-1"}),
    ],
)  # fmt: skip
def test_an_illegal_row_is_impossible(
    actors: Actors, user: User, constraint: str, start: str, change: dict[str, str]
) -> None:
    job_id, _ = actors.job(user, start)
    with pytest.raises(psycopg.errors.CheckViolation) as violation:
        actors.operator.move(job_id, **change)
    assert violation.value.diag.constraint_name == constraint
