"""The jobs that a bridge dispatches, and the jobs that it dispatches again."""

import psycopg
import pytest

from tests.support.actors import BridgeRole, Operator, User
from tests.support.all_actors import Actors


def test_dispatch_hands_a_due_job_out_once(actors: Actors, user: User) -> None:
    job_id = user.job()
    assert actors.bridge.dispatch() == [job_id]
    assert actors.bridge.dispatch() == []
    assert actors.operator.job(job_id)["dispatched_at"] is not None


def test_a_message_that_got_lost_is_sent_again(actors: Actors, user: User) -> None:
    job_id = user.job()
    actors.bridge.dispatch()
    assert actors.bridge.redispatch("1 minute") == 0
    actors.operator.move(job_id, dispatched_at="now() - interval '2 minutes'")
    assert actors.bridge.redispatch("1 minute") == 1
    assert actors.bridge.dispatch() == [job_id]


def test_the_loops_do_nothing_on_empty_tables(actors: Actors) -> None:
    row = actors.bridge.row("select * from private.dispatch_jobs(100, 100)")
    assert row == {"job_ids": [], "outstanding": 0, "next_due_in": None}
    assert (actors.bridge.redispatch(), actors.bridge.rescue(), actors.operator.prune()) == (0, {}, 0)


def test_dispatch_says_how_much_is_out_and_when_more_is_due(actors: Actors, user: User) -> None:
    retried, _ = user.job(), user.job()
    actors.worker.retry(retried, actors.worker.claimed(retried), "1 hour")
    look = actors.bridge.row(
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
    actors: Actors, user: User, limit: int | None, window: int | None, count: int
) -> None:
    for _ in range(4):
        user.job()
    assert len(actors.bridge.dispatch(limit, window)) == count


# --- forbidden outcomes


def test_two_bridges_hand_out_every_job_once(actors: Actors, user: User) -> None:
    jobs = {user.job() for _ in range(10)}
    other = actors.another(BridgeRole)
    with actors.bridge.conn.transaction():
        first = actors.bridge.dispatch(limit=4)
        second = other.dispatch(limit=100)
    assert (len(first), len(second)) == (4, 6)
    assert {*first, *second} == jobs


def test_a_bridge_that_dies_before_it_published_has_marked_nothing(actors: Actors, user: User) -> None:
    job_id = user.job()
    with actors.bridge.conn.transaction(force_rollback=True):
        assert actors.bridge.dispatch() == [job_id]
    assert actors.bridge.dispatch() == [job_id]


def test_a_job_dispatched_well_before_the_next_in_the_queue_is_lost(actors: Actors, user: User) -> None:
    lost, next_in_queue, behind = [user.job() for _ in range(3)]
    actors.bridge.dispatch()
    for job_id, seconds in ((lost, 30), (next_in_queue, 20), (behind, 20)):
        actors.operator.move(job_id, dispatched_at=f"now() - interval '{seconds} seconds'")
    assert actors.bridge.value("select private.redispatch_jobs('5 seconds', %s)", next_in_queue) == 1
    assert actors.bridge.dispatch() == [lost]


def test_no_loop_waits_for_a_row_that_another_transaction_holds(actors: Actors, user: User) -> None:
    """A transaction may hang with locked rows, as that of a frozen bridge does.

    The other loops go on with the rest of the rows.
    """
    late, held = actors.job(user, "running")[0], actors.another(Operator)
    scheduled, ended = actors.job(user, "waiting")[0], actors.job(user, "succeeded")[0]
    dispatched = user.job()
    actors.bridge.dispatch()
    queued = user.job()
    actors.operator.lose_worker(late)
    actors.operator.move(scheduled, run_at="now() - interval '1 second'")
    actors.operator.value("select private.request_provider_cancellation(%s, 'ref')", ended)
    actors.operator.conn.execute(
        "update private.provider_cancellations set created_at = now() - interval '2 hours'"
    )

    def look() -> tuple[object, ...]:
        return (
            actors.bridge.dispatch(),
            actors.bridge.redispatch(),
            set(actors.bridge.rescue()),
            actors.operator.prune(),
        )

    with held.conn.transaction():
        for table in ("public.entitlements", "public.jobs", "private.provider_cancellations"):
            held.rows(f"select from {table} for update")
        assert look() == ([], 0, set(), 0)
    assert look() == ([scheduled, queued], 3, {late}, 1)
    assert dispatched in actors.bridge.dispatch()


def test_a_bridge_that_freezes_while_it_publishes_loses_what_it_holds(actors: Actors, user: User) -> None:
    job_id, frozen = user.job(), actors.another(BridgeRole)
    with pytest.raises(psycopg.errors.IdleInTransactionSessionTimeout), frozen.conn.transaction():
        assert frozen.dispatch() == [job_id]
        assert frozen.value("show idle_in_transaction_session_timeout") == "15s"
        # The timeout is shorter for this test.
        frozen.conn.execute("set local idle_in_transaction_session_timeout = '50ms'")
        assert actors.worker.claim(job_id) is not None, (
            "the message came out, and its worker waited for the row"
        )
        frozen.dispatch()
    frozen.conn.close()
    assert actors.operator.value("show idle_in_transaction_session_timeout") == "0"
