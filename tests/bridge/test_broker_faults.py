"""While Redis fails, nothing is marked dispatched and the loop goes on."""

import logging
import time
from collections.abc import Callable

import pytest

from bridge.loop import Bridge
from tests.support.jobs import Jobs
from tests.support.servers import Redis

MakeBridge = Callable[..., Bridge]


@pytest.fixture
def bridge(make_bridge: MakeBridge, own_broker: Redis) -> Bridge:
    return make_bridge(own_broker.url)


def test_jobs_stay_due_while_redis_is_down_and_go_out_when_it_is_back(
    bridge: Bridge, own_broker: Redis, jobs: Jobs
) -> None:
    bridge.run_once()
    own_broker.kill()
    job_id = jobs.enqueue()

    assert [bridge.run_once(), bridge.run_once()] == [0, 0]
    assert jobs.get(job_id)["dispatched_at"] is None

    own_broker.start().wait_ready()
    assert bridge.run_once() == 1
    assert own_broker.queue_length() == 1


def test_a_bridge_may_start_before_its_redis(bridge: Bridge, own_broker: Redis, jobs: Jobs) -> None:
    own_broker.kill()
    jobs.enqueue()
    assert bridge.run_once() == 0

    own_broker.start().wait_ready()
    assert bridge.run_once() == 1


def test_a_frozen_redis_holds_a_look_for_seconds_only(bridge: Bridge, own_broker: Redis, jobs: Jobs) -> None:
    jobs.enqueue()
    bridge.run_once()
    own_broker.freeze()
    jobs.enqueue()

    begun = time.monotonic()
    assert bridge.run_once() == 0
    assert time.monotonic() - begun < 10, "socket timeouts bound it, or it would never return"
    assert jobs.count("dispatched_at is null") == 1

    own_broker.thaw()
    bridge.run_once()
    assert jobs.count("dispatched_at is null") == 0


def test_a_redis_that_closed_every_connection_is_used_again(
    bridge: Bridge, own_broker: Redis, jobs: Jobs
) -> None:
    jobs.enqueue()
    bridge.run_once()
    with own_broker.client as client:
        client.client_kill_filter(_type="normal", skipme=True)
    jobs.enqueue()

    bridge.run_once()
    bridge.run_once()

    assert own_broker.queue_length() == 2


def test_rescue_goes_on_while_redis_is_down(bridge: Bridge, own_broker: Redis, jobs: Jobs) -> None:
    own_broker.kill()
    job_id = jobs.enqueue()
    jobs.move(job_id, deadline_at="now() - interval '1 second'")

    bridge.run_once()

    assert jobs.status(job_id) == "failed"


def test_an_outage_is_one_line_and_its_end_another(
    bridge: Bridge, own_broker: Redis, jobs: Jobs, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "bridge")
    jobs.enqueue()
    own_broker.kill()
    for _ in range(3):
        bridge.run_once()
    own_broker.start().wait_ready()
    bridge.run_once()

    events = [record.getMessage() for record in caplog.records]
    assert [event for event in events if event.startswith("broker")] == ["broker.lost", "broker.back"]
