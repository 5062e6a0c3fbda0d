"""Deleting an auth user deletes all of their rows; a worker with their job ends it quietly."""

import uuid
from collections.abc import Callable
from uuid import UUID

import psycopg
import pytest

from tests.sql.race import racing
from tests.support.actors import ENDED, Row, User, code_of_refusal, refused
from tests.support.all_actors import Actors

TABLES = [
    "public.entitlements", "public.credit_entries", "public.jobs", "public.generations",
    "private.reports", "private.devices", "private.unsuccessful_starts",
]  # fmt: skip

Leave = Callable[[Actors, User], None]
BY = {
    "the user": lambda actors, user: user.delete_account(),
    "the dashboard": lambda actors, user: actors.operator.delete_user(user.id),
}


def everything(actors: Actors, user_id: UUID | None = None) -> dict[str, list[Row]]:
    """All rows, or those of one user."""
    query = "select * from {} t where %s::uuid is null or user_id = %s order by t::text"
    return {table: actors.operator.rows(query.format(table), user_id, user_id) for table in TABLES}


@pytest.mark.parametrize("leave", BY.values(), ids=BY)
def test_everything_of_the_user_goes_and_nothing_of_others(actors: Actors, leave: Leave) -> None:
    leaving, staying = actors.user(), actors.user()
    for number, user in enumerate((leaving, staying)):
        for status in ["queued", "running", "waiting", *ENDED]:
            job_id, fence = actors.job(user, status)
        user.report(job_id, "other", "not what I asked for")
        user.register(f"ExponentPushToken[{number}]")
        job_id, fence = actors.job(user, "running")
        assert actors.worker.record_submission(job_id, fence)
        assert actors.worker.fail(job_id, fence, "content_rejected")
    kept = everything(actors, staying.id)
    assert all(kept.values())
    leave(actors, leaving)
    assert everything(actors) == kept
    leave(actors, leaving)
    assert everything(actors) == kept


@pytest.mark.parametrize("leave", BY.values(), ids=BY)
def test_predictions_of_a_deleted_account_are_stopped_and_its_files_removed(
    actors: Actors, user: User, leave: Leave
) -> None:
    waiting, _ = actors.job(user, "waiting")
    files = {
        ("generations", f"{user.id}/{waiting}/0.png"),
        ("inputs", f"{user.id}/{uuid.uuid4()}.jpg"),
    }
    for file in files:
        actors.operator.conn.execute("insert into storage.objects (bucket_id, name) values (%s, %s)", file)
    leave(actors, user)
    assert actors.bridge.dispatch() == [waiting]
    canceled = actors.worker.rows("select * from private.provider_cancellations_of(%s)", waiting)
    assert [row["provider_ref"] for row in canceled] == [f"ref-{waiting}"]
    removed = actors.worker.rows("select * from private.objects_to_remove(10)")
    assert {(row["bucket"], row["path"]) for row in removed} == files


def test_the_deletion_needs_a_session_and_takes_no_name(actors: Actors, user: User) -> None:
    nobody = actors.another(User)
    nobody.conn.execute("select set_config('request.jwt.claims', '', false)")
    with refused(401, "unauthenticated"):
        nobody.delete_account()
    with pytest.raises(psycopg.errors.UndefinedFunction):
        user.value("select public.delete_account(%s::uuid)", actors.user().id)


TRIED = {
    "delete_account": lambda user, job_id: user.delete_account(),
    "enqueue_generation": lambda user, job_id: user.enqueue(job_id),
    "cancel_generation": lambda user, job_id: user.cancel(job_id),
    "get_job_status": lambda user, job_id: user.status(job_id),
    "list_models": lambda user, job_id: user.value("select public.list_models()"),
    "read_gallery": lambda user, job_id: user.gallery(),
    "report_generation": lambda user, job_id: user.report(job_id),
    "register_device": lambda user, job_id: user.register("ExponentPushToken[mine]"),
    "unregister_device": lambda user, job_id: user.unregister("ExponentPushToken[mine]"),
}
EXECUTABLE = """
select proname from pg_proc
where pronamespace = 'public'::regnamespace and has_function_privilege('authenticated', oid, 'execute')
"""


def test_every_function_that_a_user_may_call_is_tried_with_an_old_token(actors: Actors) -> None:
    assert {row["proname"] for row in actors.operator.rows(EXECUTABLE)} == set(TRIED)


@pytest.mark.parametrize("name", TRIED)
def test_an_old_token_is_refused_by_every_function(actors: Actors, user: User, name: str) -> None:
    job_id, _ = actors.job(user, "succeeded")
    user.delete_account()
    code = code_of_refusal(lambda: TRIED[name](user, job_id))
    assert code == (None if name == "delete_account" else "unauthenticated")
    assert not any(everything(actors, user.id).values())


def test_an_old_token_reads_uploads_and_receives_nothing(actors: Actors, user: User) -> None:
    job_id, _ = actors.job(user, "succeeded")
    path = f"{user.id}/{job_id}/0.png"
    add = "insert into storage.objects (bucket_id, name) values (%s, %s)"
    actors.operator.conn.execute(add, ("generations", path))
    actors.operator.conn.execute(add, ("inputs", f"{user.id}/{uuid.uuid4()}.jpg"))
    user.conn.execute("select set_config('realtime.topic', %s, false)", (f"user:{user.id}",))
    seen = "select (select count(*) from storage.objects) + (select count(*) from realtime.messages) as seen"
    assert user.value(seen) > 2
    user.delete_account()
    assert user.value(seen) == 0
    for table in TABLES[:4]:
        columns = "id" if table == "public.jobs" else "*"
        assert user.rows(f"select {columns} from {table}") == []  # noqa: S608
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        user.conn.execute(add, ("inputs", f"{user.id}/{uuid.uuid4()}.jpg"))
    user.conn.execute("select set_config('realtime.topic', '', false)")


def test_a_new_account_on_the_same_phone_begins_anew(actors: Actors, user: User) -> None:
    user.register("ExponentPushToken[phone]")
    user.delete_account()
    again = actors.user(credits=5)
    again.register("ExponentPushToken[phone]")
    assert actors.operator.credits(again.id) == 5 and again.id != user.id


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


def test_dispatched_jobs_of_a_deleted_user_leave_no_trace_at_the_bridge(actors: Actors, user: User) -> None:
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
    with refused(401, "unauthenticated"):
        user.cancel(job_id)
    with refused(401, "unauthenticated"):
        user.status(job_id)


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


def test_a_deletion_and_all_that_a_user_can_ask_for_never_wait_in_a_circle(actors: Actors) -> None:
    phones = [actors.another(User) for _ in range(4)]
    with racing(5) as start:
        for turn in range(40):
            user = actors.user()
            ended, _ = actors.job(user, "succeeded")
            waiting, _ = actors.job(user, "waiting")
            for phone in phones:
                phone.sign_in(user.id)
            asks = (
                lambda job_id=ended: phones[0].report(job_id),
                lambda name=turn: phones[1].register(f"ExponentPushToken[{name}]"),
                lambda: phones[2].enqueue(),
                lambda job_id=waiting: phones[3].cancel(job_id),
            )
            codes = start(user.delete_account, *(lambda ask=ask: code_of_refusal(ask) for ask in asks))
            assert set(codes) <= {None, "unauthenticated", "unknown_job"}
            assert not any(everything(actors, user.id).values())
            actors.free.append(user)
