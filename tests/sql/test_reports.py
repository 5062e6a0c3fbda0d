"""A user reports their own generation once; its files stay until an operator closes the report."""

import uuid
from threading import Event

import pytest

from tests.sql.race import racing
from tests.sql.test_models import add_model
from tests.sql.test_objects import output_of, photo, to_remove
from tests.support.actors import ENDED, Operator, User, refused
from tests.support.all_actors import Actors
from tests.support.waiting import wait_until

REASONS = ["sexual", "violent", "hateful", "real_person", "copyright", "other"]


def reports(actors: Actors) -> list[tuple[object, ...]]:
    rows = actors.operator.rows("select * from private.reports order by created_at")
    return [(row["generation_id"], row["user_id"], row["reason"], row["text"]) for row in rows]


def close(actors: Actors) -> None:
    actors.operator.conn.execute("update private.reports set closed_at = now() where closed_at is null")


@pytest.mark.parametrize("reason", REASONS)
@pytest.mark.parametrize("status", ENDED)
def test_a_generation_is_reported_once_and_the_first_report_stays(
    actors: Actors, user: User, reason: str, status: str
) -> None:
    job_id, _ = actors.job(user, status)
    user.report(job_id, reason, "  Look at the hands.  ")
    user.report(job_id, "copyright", "again")
    assert reports(actors) == [(job_id, user.id, reason, "Look at the hands.")]


@pytest.mark.parametrize("text", [None, "", "   ", "x" * 500, "\N{FOX FACE}" * 500])
def test_words_of_the_users_own_are_welcome_and_not_needed(
    actors: Actors, user: User, text: str | None
) -> None:
    job_id, _ = actors.job(user, "succeeded")
    user.report(job_id, "other", text)
    assert reports(actors) == [(job_id, user.id, "other", (text or "").strip() or None)]


@pytest.mark.parametrize(
    ("reason", "text"), [(None, None), ("", None), ("Sexual", None), ("spam", None), ("other", "x" * 501)]
)
def test_another_reason_or_a_long_text_is_refused(
    actors: Actors, user: User, reason: str | None, text: str | None
) -> None:
    job_id, _ = actors.job(user, "succeeded")
    with refused(400, "invalid_request"):
        user.report(job_id, reason, text)
    assert reports(actors) == []


def test_a_foreign_or_missing_generation_is_unknown(actors: Actors, user: User) -> None:
    job_id, _ = actors.job(user, "succeeded")
    unfinished, _ = actors.job(user, "running")
    stranger = actors.user()
    for who, what in ((stranger, job_id), (user, uuid.uuid4()), (user, None), (user, unfinished)):
        with refused(404, "unknown_job"):
            who.report(what)
    user.report(job_id)
    with refused(404, "unknown_job"):
        stranger.report(job_id)
    user.delete_generation(job_id)
    user.report(job_id)  # a client that did not receive the first answer
    with refused(404, "unknown_job"):
        stranger.report(job_id)


def test_the_files_outlive_the_generation_while_the_report_is_open(actors: Actors) -> None:
    user = actors.user()
    add_model(actors)
    upload = photo(actors, user)
    job_id = user.job(model="brush", input={"prompt": "a", "image": upload})
    path = f"{user.id}/{job_id}/0.png"
    actors.operator.conn.execute(
        "insert into storage.objects (bucket_id, name) values ('generations', %s)", (path,)
    )
    fence = actors.worker.claimed(job_id)
    assert actors.worker.complete(job_id, fence, [{"kind": "image", "path": path, "thumb": None}])
    user.report(job_id)
    user.delete_generation(job_id)
    assert to_remove(actors) == set()
    actors.operator.conn.execute("update storage.objects set created_at = now() - interval '2 days'")
    actors.operator.conn.execute("delete from private.removed_objects")
    actors.worker.value("select private.sweep_unreferenced_objects('0', 100)")
    assert to_remove(actors) == set()
    close(actors)
    assert to_remove(actors) == {path, upload}


def test_closing_a_report_removes_nothing_that_is_shown(actors: Actors, user: User) -> None:
    job_id, path = output_of(actors, user)
    user.report(job_id)
    close(actors)
    assert to_remove(actors) == set()
    user.delete_generation(job_id)
    assert to_remove(actors) == {path}


def test_files_of_open_reports_do_not_keep_others_from_being_removed(actors: Actors, user: User) -> None:
    for _ in range(3):
        job_id, _ = output_of(actors, user)
        user.report(job_id)
        user.delete_generation(job_id)
    assert to_remove(actors, 3) == set()
    other, path = output_of(actors, user)
    user.delete_generation(other)
    due = actors.worker.rows("select * from private.objects_to_remove(3)")
    assert [row["path"] for row in due] == [path]


def test_a_deleted_account_takes_its_files_although_they_are_reported(actors: Actors, user: User) -> None:
    job_id, path = output_of(actors, user)
    user.report(job_id)
    user.delete_generation(job_id)
    assert to_remove(actors) == set()
    user.delete_account()
    assert [row["path"] for row in actors.worker.rows("select * from private.objects_to_remove(9)")] == [path]


def test_a_report_and_a_deletion_at_the_same_moment_never_lose_the_files_of_an_open_report(
    actors: Actors, user: User
) -> None:
    phone = actors.session(user.id)
    with racing(2) as start:
        for _ in range(30):
            job_id, path = output_of(actors, user)

            def report(job_id: uuid.UUID = job_id) -> None:
                try:
                    phone.report(job_id)
                except Exception as error:
                    assert "unknown_job" in str(error)

            start(report, lambda j=job_id: user.delete_generation(j))
            is_open = bool(
                actors.operator.rows("select from private.reports where generation_id = %s", job_id)
            )
            assert (path in to_remove(actors)) is not is_open


def test_operators_see_that_reports_are_open(actors: Actors, user: User) -> None:
    def seen() -> tuple[str, bool]:
        rows = {row["item"]: row for row in actors.bridge.rows("select * from private.operator_status()")}
        return rows["open reports"]["value"], rows["open reports"]["problem"] is not None

    assert seen() == ("0", False)
    for _ in range(2):
        user.report(actors.job(user, "succeeded")[0])
    assert seen() == ("2", True)
    close(actors)
    assert seen() == ("0", False)


def test_a_report_and_the_deletion_of_its_account_do_not_wait_for_each_other(
    actors: Actors, user: User
) -> None:
    job_id, _ = actors.job(user, "succeeded")
    phone, holder = actors.session(user.id), actors.another(Operator)
    waiting = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"

    def stop_the_report_halfway() -> None:
        with holder.conn.transaction():
            holder.conn.execute("lock table private.reports in share mode")
            halfway.set()
            wait_until(lambda: actors.operator.value(waiting) >= 2, "the report and the deletion to wait")

    def delete() -> None:
        halfway.wait(20)
        wait_until(lambda: actors.operator.value(waiting) >= 1, "the report to be halfway")
        user.delete_account()

    def report() -> None:
        halfway.wait(20)
        phone.report(job_id)

    halfway = Event()
    with racing(3) as start:
        start(stop_the_report_halfway, delete, report)
    assert reports(actors) == []
