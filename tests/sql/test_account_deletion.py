"""Deleting an auth user deletes all of their rows, and a worker that has a job of theirs ends it quietly."""

import uuid
from uuid import UUID

import psycopg
import pytest

from tests.support.actors import ENDED, Row, User, refused
from tests.support.all_actors import Actors

TABLES = ["public.entitlements", "public.credit_entries", "public.jobs", "public.generations"]


def everything(actors: Actors, user_id: UUID | None = None) -> dict[str, list[Row]]:
    """All rows, or those of one user."""
    query = "select * from {} t where %s::uuid is null or user_id = %s order by t::text"
    return {table: actors.operator.rows(query.format(table), user_id, user_id) for table in TABLES}


def test_everything_of_the_user_goes_and_nothing_of_others(actors: Actors) -> None:
    leaving, staying = actors.user(), actors.user()
    for user in (leaving, staying):
        for status in ["queued", "running", "waiting", *ENDED]:
            actors.job(user, status)
    kept = everything(actors, staying.id)
    actors.operator.delete_user(leaving.id)
    assert everything(actors) == kept


@pytest.mark.parametrize("status", ["queued", "running", "waiting", *ENDED])
def test_a_worker_of_a_deleted_user_is_told_that_it_lost(actors: Actors, user: User, status: str) -> None:
    job_id, fence = actors.job(user, status)
    actors.operator.delete_user(user.id)
    assert actors.worker.claim(job_id) is None
    assert actors.worker.renew(job_id, fence) == "lost"
    assert not any(
        (
            actors.worker.record_submission(job_id, fence),
            actors.worker.wait(job_id, fence, "ref"),
            actors.worker.retry(job_id, fence),
            actors.worker.release(job_id, fence),
            actors.worker.complete(job_id, fence),
            actors.worker.fail(job_id, fence),
            actors.service.wake(job_id, "ref"),
        )
    )
    assert actors.operator.generation(job_id) is None


def test_what_a_deleted_user_had_dispatched_leaves_no_trace_at_the_bridge(actors: Actors, user: User) -> None:
    user.job()
    actors.bridge.dispatch()
    actors.operator.delete_user(user.id)
    row = actors.bridge.row("select * from private.dispatch_jobs(100, 100)")
    assert row == {"job_ids": [], "outstanding": 0, "next_due_in": None}


def test_a_deleted_user_can_ask_for_nothing(actors: Actors, user: User) -> None:
    job_id, _ = actors.job(user, "succeeded")
    actors.operator.delete_user(user.id)
    with refused(401, "unauthenticated"):
        user.enqueue(job_id)
    with refused(404, "unknown_job"):
        user.cancel(job_id)
    assert user.status(job_id) == []


def test_the_auth_service_opens_and_closes_accounts_with_no_rights_on_our_tables(actors: Actors) -> None:
    user_id = uuid.uuid4()
    url = actors.url.replace("//postgres:", "//supabase_auth_admin:")
    with psycopg.connect(url, autocommit=True) as auth:
        auth.execute("insert into auth.users (id) values (%s)", (user_id,))
        assert actors.operator.credits(user_id) == 10
        for status in ("running", "waiting", "succeeded"):
            actors.job(actors.session(user_id), status)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            auth.execute("select from public.entitlements")
        auth.execute("delete from auth.users where id = %s", (user_id,))
    assert not any(everything(actors, user_id).values())
