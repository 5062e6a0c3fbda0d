"""What a bridge hands out, and what it hands out again."""

import psycopg
import pytest

from tests.sql.actors import Bridge, Operator, User
from tests.sql.cast import Cast


def test_dispatch_hands_a_due_job_out_once(cast: Cast, user: User) -> None:
    job_id = user.job()
    assert cast.bridge.dispatch() == [job_id]
    assert cast.bridge.dispatch() == []
    assert cast.operator.job(job_id)["dispatched_at"] is not None


def test_a_message_that_got_lost_is_sent_again(cast: Cast, user: User) -> None:
    job_id = user.job()
    cast.bridge.dispatch()
    assert cast.bridge.redispatch("1 minute") == 0
    cast.operator.move(job_id, dispatched_at="now() - interval '2 minutes'")
    assert cast.bridge.redispatch("1 minute") == 1
    assert cast.bridge.dispatch() == [job_id]


def test_the_loops_do_nothing_on_empty_tables(cast: Cast) -> None:
    row = cast.bridge.row("select * from private.dispatch_jobs(100, 100)")
    assert row == {"job_ids": [], "outstanding": 0, "next_due_in": None}
    assert (cast.bridge.redispatch(), cast.bridge.rescue(), cast.operator.prune()) == (0, {}, 0)


def test_dispatch_says_how_much_is_out_and_when_more_is_due(cast: Cast, user: User) -> None:
    retried, _ = user.job(), user.job()
    cast.worker.retry(retried, cast.worker.claimed(retried), "1 hour")
    look = cast.bridge.row(
        "select *, extract(epoch from next_due_in)::float as seconds from private.dispatch_jobs(100, 100)"
    )
    assert look is not None
    assert (look["outstanding"], len(look["job_ids"])) == (1, 1)
    assert 3590 < look["seconds"] <= 3600


@pytest.mark.parametrize(
    ("limit", "window", "count"),
    [(2, 100, 2), (100, 3, 3), (0, 100, 0), (100, 0, 0), (100, -5, 0), (2**31 - 1, 2**31 - 1, 4), (None, None, 0)],
)  # fmt: skip
def test_dispatch_keeps_to_its_limit_and_its_window(
    cast: Cast, user: User, limit: int | None, window: int | None, count: int
) -> None:
    for _ in range(4):
        user.job()
    assert len(cast.bridge.dispatch(limit, window)) == count


# --- what must not happen


def test_two_bridges_hand_out_every_job_once(cast: Cast, user: User) -> None:
    jobs = {user.job() for _ in range(10)}
    other = cast.another(Bridge)
    with cast.bridge.conn.transaction():
        first = cast.bridge.dispatch(limit=4)
        second = other.dispatch(limit=100)
    assert (len(first), len(second)) == (4, 6)
    assert {*first, *second} == jobs


def test_a_bridge_that_dies_before_it_published_has_marked_nothing(cast: Cast, user: User) -> None:
    job_id = user.job()
    with cast.bridge.conn.transaction(force_rollback=True):
        assert cast.bridge.dispatch() == [job_id]
    assert cast.bridge.dispatch() == [job_id]


def test_what_was_dispatched_well_before_the_next_in_the_queue_is_lost(cast: Cast, user: User) -> None:
    lost, next_in_queue, behind = [user.job() for _ in range(3)]
    cast.bridge.dispatch()
    for job_id, seconds in ((lost, 30), (next_in_queue, 20), (behind, 20)):
        cast.operator.move(job_id, dispatched_at=f"now() - interval '{seconds} seconds'")
    assert cast.bridge.value("select private.redispatch_jobs('5 seconds', %s)", next_in_queue) == 1
    assert cast.bridge.dispatch() == [lost]


def test_nobody_in_a_loop_waits_for_a_row_that_somebody_holds(cast: Cast, user: User) -> None:
    """A transaction may hang while it holds rows, as that of a frozen bridge does; the others go on with the rest."""
    late, held = cast.job(user, "running")[0], cast.another(Operator)
    scheduled, ended = cast.job(user, "waiting")[0], cast.job(user, "succeeded")[0]
    dispatched = user.job()
    cast.bridge.dispatch()
    queued = user.job()
    cast.operator.lose_worker(late)
    cast.operator.move(scheduled, run_at="now() - interval '1 second'")
    cast.operator.value("select private.request_provider_cancellation(%s, 'preview', 'ref')", ended)
    cast.operator.conn.execute("update private.provider_cancellations set created_at = now() - interval '2 hours'")

    def look() -> tuple[object, ...]:
        return (
            cast.bridge.dispatch(),
            cast.bridge.redispatch(),
            set(cast.bridge.rescue()),
            cast.operator.prune(),
        )

    with held.conn.transaction():
        for table in ("public.entitlements", "public.jobs", "private.provider_cancellations"):
            held.rows(f"select from {table} for update")
        assert look() == ([], 0, set(), 0)
    assert look() == ([scheduled, queued], 3, {late}, 1)
    assert dispatched in cast.bridge.dispatch()


def test_a_bridge_that_freezes_while_it_publishes_loses_what_it_holds(cast: Cast, user: User) -> None:
    job_id, frozen = user.job(), cast.another(Bridge)
    with pytest.raises(psycopg.errors.IdleInTransactionSessionTimeout), frozen.conn.transaction():
        assert frozen.dispatch() == [job_id]
        assert frozen.value("show idle_in_transaction_session_timeout") == "15s"
        frozen.conn.execute("set local idle_in_transaction_session_timeout = '50ms'")  # sooner, for this test
        assert cast.worker.claim(job_id) is not None, (
            "the message came out, and its worker waited for the row"
        )
        frozen.dispatch()
    frozen.conn.close()
    assert cast.operator.value("show idle_in_transaction_session_timeout") == "0"
