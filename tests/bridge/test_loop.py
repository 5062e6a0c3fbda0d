"""One look at a time: what is due is sent once, in order, and nothing else is."""

import json
from collections.abc import Callable

import psycopg
import pytest

from bridge.loop import IDLE_PAUSE, Bridge
from tests.support.jobs import Jobs
from tests.support.servers import Redis

MakeBridge = Callable[..., Bridge]


def sent_ids(broker: Redis) -> list[str]:
    """In the order in which workers get them."""
    with broker.client as client:
        messages = client.lrange("generations", 0, -1)
    return [json.loads(message)["headers"]["id"] for message in reversed(messages)]


def test_a_look_at_an_empty_table_does_nothing(bridge: Bridge, broker: Redis) -> None:
    assert bridge.run_once() == 0
    assert broker.queue_length() == 0


def test_a_due_job_is_sent_once(bridge: Bridge, broker: Redis, jobs: Jobs) -> None:
    job_id = jobs.enqueue()

    assert [bridge.run_once(), bridge.run_once()] == [1, 0]
    assert sent_ids(broker) == [str(job_id)]
    assert jobs.get(job_id)["dispatched_at"] is not None


def test_jobs_are_sent_in_the_order_of_their_rank(bridge: Bridge, broker: Redis, jobs: Jobs) -> None:
    patient = [jobs.enqueue() for _ in range(3)]
    other = jobs.enqueue(user_id=jobs.add_user())

    bridge.run_once()

    assert sent_ids(broker) == [str(job_id) for job_id in (patient[0], other, *patient[1:])]


def test_a_job_for_later_is_not_sent_but_shortens_the_pause(
    bridge: Bridge, broker: Redis, jobs: Jobs
) -> None:
    jobs.move(jobs.enqueue(), run_at="now() + interval '3 seconds'")
    bridge.quiet_looks = 10

    assert bridge.run_once() == 0
    assert bridge.pause() <= 3 < IDLE_PAUSE


def test_the_window_bounds_what_is_outstanding(make_bridge: MakeBridge, broker: Redis, jobs: Jobs) -> None:
    bridge = make_bridge(broker.url, window=3)
    for _ in range(5):
        jobs.enqueue()

    assert [bridge.run_once(), bridge.run_once()] == [3, 0]
    assert broker.queue_length() == 3


def test_two_bridges_share_the_work_and_send_nothing_twice(
    make_bridge: MakeBridge, broker: Redis, jobs: Jobs
) -> None:
    one, other = make_bridge(broker.url), make_bridge(broker.url)
    job_ids = {str(jobs.enqueue()) for _ in range(4)}

    with one.store.dispatch(limit=2, window=512) as look:
        one.publisher.publish(look.job_ids)
        other.run_once()

    assert len(sent_ids(broker)) == 4
    assert set(sent_ids(broker)) == job_ids


def test_a_bridge_that_dies_between_publish_and_commit_leaves_the_job_due(
    make_bridge: MakeBridge, broker: Redis, jobs: Jobs
) -> None:
    job_id = jobs.enqueue()
    dying, other = make_bridge(broker.url), make_bridge(broker.url)

    try:
        with dying.store.dispatch(limit=10, window=512) as look:
            dying.publisher.publish(look.job_ids)
            dying.store.conn.pgconn.finish()
    except psycopg.OperationalError:
        pass

    other.run_once()
    assert sent_ids(broker) == [str(job_id), str(job_id)], "the second message costs one failed claim"


def test_a_message_lost_by_redis_is_found_by_looking(bridge: Bridge, broker: Redis, jobs: Jobs) -> None:
    job_id = jobs.enqueue()
    bridge.run_once()
    broker.flush()

    jobs.move(job_id, dispatched_at="now() - interval '6 seconds'")
    bridge.find_lost_at = 0
    bridge.run_once()

    assert sent_ids(broker) == [str(job_id)]


def test_a_message_that_still_waits_in_the_queue_is_not_sent_again(
    bridge: Bridge, broker: Redis, jobs: Jobs
) -> None:
    job_id = jobs.enqueue()
    bridge.run_once()

    jobs.move(job_id, dispatched_at="now() - interval '60 seconds'")
    bridge.find_lost_at = 0
    bridge.run_once()

    assert sent_ids(broker) == [str(job_id)]


def test_a_lost_message_is_found_behind_a_queue_that_never_empties(
    bridge: Bridge, broker: Redis, jobs: Jobs
) -> None:
    lost = jobs.enqueue()
    bridge.run_once()
    broker.flush()
    in_queue = jobs.enqueue()
    bridge.run_once()

    jobs.move(lost, dispatched_at="now() - interval '16 seconds'")
    jobs.move(in_queue, dispatched_at="now() - interval '10 seconds'")
    bridge.find_lost_at = 0
    bridge.run_once()

    assert sent_ids(broker) == [str(in_queue), str(lost)]


@pytest.mark.parametrize(
    "foreign", ["{}", "[]", "no json", '{"headers": {"id": "7"}}', '{"headers": {"id": 7}}']
)
def test_a_foreign_message_in_the_queue_neither_stops_the_bridge_nor_hides_what_is_lost(
    bridge: Bridge, broker: Redis, jobs: Jobs, foreign: str
) -> None:
    lost = jobs.enqueue()
    bridge.run_once()
    broker.flush()
    in_queue = jobs.enqueue()
    bridge.run_once()
    with broker.client as client:
        client.rpush("generations", foreign)  # the next that a worker gets

    jobs.move(lost, dispatched_at="now() - interval '16 seconds'")
    jobs.move(in_queue, dispatched_at="now() - interval '10 seconds'")
    bridge.find_lost_at = 0
    bridge.run_once()

    with broker.client as client:
        assert client.rpop("generations") == foreign.encode()
    assert sent_ids(broker) == [str(in_queue), str(lost)]


def test_a_job_whose_worker_is_lost_is_sent_again(bridge: Bridge, broker: Redis, jobs: Jobs) -> None:
    job_id = jobs.enqueue()
    jobs.move(job_id, status="'running'", attempt="1", lease_expires_at="now() - interval '1 second'")

    bridge.run_once()
    bridge.run_once()

    assert sent_ids(broker) == [str(job_id)]
    assert jobs.get(job_id)["attempt"] == 1


def test_a_job_past_its_deadline_is_failed_and_refunded(bridge: Bridge, jobs: Jobs) -> None:
    before = jobs.credits()
    job_id = jobs.enqueue()
    jobs.move(job_id, deadline_at="now() - interval '1 second'")

    bridge.run_once()

    assert (jobs.get(job_id)["status"], jobs.get(job_id)["error_code"]) == ("failed", "timed_out")
    assert jobs.credits() == before


def test_rescue_waits_for_its_own_time(bridge: Bridge, jobs: Jobs) -> None:
    bridge.run_once()
    job_id = jobs.enqueue()
    jobs.move(job_id, deadline_at="now() - interval '1 second'")

    bridge.run_once()

    assert jobs.status(job_id) == "queued"


def test_a_full_batch_is_followed_by_another_look_at_once(
    make_bridge: MakeBridge, broker: Redis, jobs: Jobs
) -> None:
    bridge = make_bridge(broker.url, window=2000)
    jobs.conn.execute(
        "insert into public.jobs (id, user_id, model_id, input, cost, rank, max_attempts, deadline_at)"
        " select gen_random_uuid(), %s, 'preview', '{}', 0, n, 3, now() + interval '1 hour'"
        " from generate_series(1, 1200) n",
        (jobs.user_id,),
    )

    counts: list[int] = []
    while counts[-1:] != [0]:
        counts.append(bridge.run_once())
        assert (bridge.pause() == 0) == (counts[-1] == 500)

    assert counts == [500, 500, 200, 0]
