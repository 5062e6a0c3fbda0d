"""The metrics that the bridge serves at /metrics. A scrape does no harm."""

import logging
import threading
import urllib.request

import psycopg
import pytest
from psycopg import sql

from bridge import health
from bridge.loop import Bridge
from bridge.metrics import HELP
from local.postgres import SUPERUSER
from local.stack import Stack
from tests.bridge.scrape import Scrape, scrape
from tests.support.actors import WorkerRole
from tests.support.jobs import Jobs
from tests.support.servers import free_port


@pytest.fixture
def worker(jobs: Jobs) -> WorkerRole:
    return jobs.actors.worker


def test_each_unfinished_job_is_counted_in_one_place(bridge: Bridge, jobs: Jobs, worker: WorkerRole) -> None:
    due, scheduled, waiting, running, dispatched = [jobs.enqueue() for _ in range(5)]
    jobs.move(scheduled, run_at="now() + interval '1 hour'")
    worker.claim(running)
    fence = worker.claimed(waiting)
    worker.record_submission(waiting, fence)
    worker.wait(waiting, fence, "ref")
    jobs.move(dispatched, dispatched_at="now() - interval '3 seconds'")
    bridge.window = 1  # so that the due job stays due
    seen = scrape(bridge)

    for state in ("due", "scheduled", "waiting", "running", "dispatched"):
        assert seen.value("jobs", state=state) == 1, (state, due)
    assert seen.value("jobs", state="rate_limited") == 0
    assert 3 <= seen.value("oldest_job_seconds", state="dispatched") < 60


def test_jobs_that_ended_are_counted_by_code_and_their_legs_measured(
    bridge: Bridge, jobs: Jobs, worker: WorkerRole
) -> None:
    for _ in range(3):
        job_id = jobs.enqueue()
        worker.complete(job_id, worker.claimed(job_id))
    job_id = jobs.enqueue()
    worker.fail(job_id, worker.claimed(job_id), "timed_out")
    jobs.cancel(jobs.enqueue())
    seen = scrape(bridge)

    assert [seen.value("jobs_ended", code=code) for code in ("succeeded", "timed_out", "canceled")] == [
        3,
        1,
        1,
    ]
    assert seen.value("jobs_ended", code="internal") == 0
    for leg in ("request_to_start", "start_to_end"):
        assert 0 <= seen.value("leg_seconds", leg=leg, quantile="0.5") < 60


def test_every_name_that_the_database_knows_has_a_help_text(
    bridge: Bridge, jobs: Jobs, worker: WorkerRole
) -> None:
    job_id = jobs.enqueue()
    worker.complete(job_id, worker.claimed(job_id))
    jobs.conn.execute("select private.audit_ledger(1000)")
    jobs.conn.execute("select private.record_webhook()")
    jobs.conn.execute("update private.provider_limits set starts_per_day = 0")
    assert scrape(bridge).value("provider_budget_used", provider="replicate", of="starts") == 1
    assert {measurement.name for measurement in bridge.metrics.measured} == set(HELP)


def test_the_table_is_read_only_while_somebody_asks(bridge: Bridge, jobs: Jobs) -> None:
    bridge.run_once()
    assert bridge.metrics.measured == []
    bridge.metrics.exposition()
    bridge.run_once()
    assert bridge.metrics.measured != []


def test_the_table_is_read_once_in_some_seconds_however_often_it_is_asked(bridge: Bridge, jobs: Jobs) -> None:
    bridge.metrics.exposition()
    bridge.run_once()
    read = bridge.metrics.measured
    for _ in range(20):
        bridge.metrics.exposition()
        bridge.run_once()
    assert bridge.metrics.measured is read


def test_metrics_that_were_read_long_ago_are_not_served(bridge: Bridge, jobs: Jobs) -> None:
    scrape(bridge)
    bridge.metrics.measured_at -= 3600
    names = {sample.name for sample in Scrape(bridge.metrics.exposition().decode()).samples}
    assert "pilotlight_database_up" in names
    assert "pilotlight_jobs" not in names


@pytest.mark.parametrize(
    "trouble",
    [
        "drop function private.metrics()",
        """
create or replace function private.metrics() returns table (name text, labels jsonb, value double precision)
language sql as $$ select pg_sleep(60)::text, '{}'::jsonb, 0.0::double precision $$
""",
    ],
    ids=["missing", "slow"],
)
def test_a_read_that_fails_does_not_stop_the_dispatch(
    bridge: Bridge, jobs: Jobs, trouble: str, caplog: pytest.LogCaptureFixture
) -> None:
    jobs.conn.execute(trouble.encode())
    bridge.metrics.exposition()
    jobs.enqueue()
    assert bridge.run_once() == 1
    assert "metrics.not_read" in caplog.messages
    jobs.enqueue()
    assert bridge.run_once() == 1
    assert caplog.messages.count("metrics.not_read") == 1, "it is not tried again at once"
    assert not bridge.health.is_database_down


def test_a_read_on_a_broken_connection_leaves_the_bridge_working(
    bridge: Bridge, stack: Stack, jobs: Jobs, caplog: pytest.LogCaptureFixture
) -> None:
    bridge.run_once()
    bridge.metrics.exposition()
    with psycopg.connect(stack.url_of(SUPERUSER), autocommit=True) as conn:
        pid = bridge.store.conn.info.backend_pid
        conn.execute(sql.SQL("select pg_terminate_backend({})").format(pid))
    bridge.metrics.read(bridge.store)
    assert "metrics.not_read" in caplog.messages
    jobs.enqueue()
    assert bridge.run_once() == 1


def test_events_are_counted_by_name(bridge: Bridge, jobs: Jobs) -> None:
    logging.getLogger("bridge").addHandler(bridge.metrics.events)
    try:
        logging.getLogger("bridge").warning("messages.lost", extra={"count": 2})
    finally:
        logging.getLogger("bridge").removeHandler(bridge.metrics.events)
    assert scrape(bridge).value("log_events_total", event="messages.lost", level="WARNING") == 1


def test_a_provider_s_name_cannot_forge_a_line(bridge: Bridge, jobs: Jobs) -> None:
    name = 'evil"}\t1\npilotlight_forged\t1\n\\'
    jobs.conn.execute(
        "insert into private.provider_limits (provider, starts_per_minute) values (%s, 1)", (name,)
    )
    seen = scrape(bridge)
    assert seen.value("provider_rate_factor", provider=name) == 1
    assert all(sample.name != "pilotlight_forged" for sample in seen.samples)


def test_prometheus_is_answered_while_the_loop_works(bridge: Bridge, jobs: Jobs) -> None:
    port = free_port()
    server = health.serve(bridge.health, bridge.metrics.exposition, "127.0.0.1", port)
    stop = threading.Event()

    def look() -> None:
        while not stop.is_set():
            bridge.metrics.read_at = 0.0
            bridge.run_once()

    loop = threading.Thread(target=look)
    loop.start()
    try:
        for _ in range(50):
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
                assert answer.headers["Content-Type"].startswith("text/plain; version=")
                assert Scrape(answer.read().decode()).value("database_up") == 1
    finally:
        stop.set()
        loop.join()
        server.shutdown()
        server.server_close()


def test_a_deep_backlog_is_read_to_its_bound(bridge: Bridge, jobs: Jobs) -> None:
    jobs.conn.execute(
        "insert into public.jobs (id, user_id, model_id, input, cost, rank, max_attempts, deadline_at)"
        " select gen_random_uuid(), %s, 'preview', '{}', 0, n, 3, now() + interval '1 day'"
        " from generate_series(1, 10500) n",
        (jobs.user_id,),
    )
    bridge.window = 1
    assert scrape(bridge).value("jobs", state="due") == 10_000
