"""A provider's limit holds jobs in the table, where they keep their order and their attempts."""

from uuid import UUID

import psycopg
import pytest
from celery.exceptions import Retry

from tests.replicate.behaviour import Behaviour, ErrorResponse
from tests.replicate.conftest import InlineWorker, Plan, ended
from tests.replicate.server import MisbehavingReplicate
from tests.support.jobs import Jobs


def set_limit(jobs: Jobs, changes: str) -> None:
    jobs.conn.execute(f"update private.provider_limits set {changes}".encode())  # noqa: S608


def rate_limited(jobs: Jobs) -> int:
    return jobs.count("rate_limited_by is not null")


def test_no_more_jobs_start_than_the_bucket_holds(
    worker: InlineWorker, jobs: Jobs, replicate: MisbehavingReplicate
) -> None:
    for _ in range(8):
        jobs.enqueue("fox")
    set_limit(jobs, "starts_per_minute = 600, tokens = 3, refilled_at = now()")
    assert 3 <= worker.run_once() <= 5  # and what has dropped into the bucket since
    assert jobs.count("attempt = 0 and status = 'queued'") == rate_limited(jobs) >= 3


def test_the_bucket_fills_with_time_and_never_above_one_second(worker: InlineWorker, jobs: Jobs) -> None:
    set_limit(jobs, "starts_per_minute = 600, tokens = 0, refilled_at = now() - interval '1 hour'")
    for _ in range(15):
        jobs.enqueue("fox")
    assert len(worker.dispatch()) == 10


def test_the_bridge_hears_when_there_is_room_again(worker: InlineWorker, jobs: Jobs) -> None:
    set_limit(jobs, "starts_per_minute = 6, tokens = 0, refilled_at = now()")
    jobs.enqueue("fox")
    row = jobs.conn.execute("select next_due_in from private.dispatch_jobs(100, 100)").fetchone()
    assert row is not None and 8 < row[0].total_seconds() <= 10


def test_jobs_of_other_providers_are_not_held(worker: InlineWorker, jobs: Jobs) -> None:
    set_limit(jobs, "paused_until = now() + interval '1 hour'")
    held_job, free = jobs.enqueue("fox"), jobs.enqueue("preview")
    assert worker.dispatch() == [free]
    assert jobs.get(held_job)["rate_limited_by"] == "replicate"


def test_held_jobs_go_in_order_of_rank_and_can_be_canceled(worker: InlineWorker, jobs: Jobs) -> None:
    set_limit(jobs, "starts_per_minute = 60, tokens = 0, refilled_at = now()")
    many = [jobs.enqueue("fox") for _ in range(3)]
    other = jobs.enqueue("fox", jobs.add_user())
    worker.dispatch()
    jobs.cancel(many[0])
    assert (jobs.status(many[0]), jobs.get(many[0])["rate_limited_by"]) == ("canceled", None)
    order: list[UUID] = []
    while len(order) < 3:
        set_limit(jobs, "tokens = 1, refilled_at = now()")
        order += worker.dispatch()
    assert order == [other, many[1], many[2]]


def test_a_held_job_ends_at_its_deadline_and_is_refunded(worker: InlineWorker, jobs: Jobs) -> None:
    set_limit(jobs, "paused_until = now() + interval '1 hour'")
    before = jobs.credits()
    job_id = jobs.enqueue("fox")
    jobs.move(job_id, deadline_at="now() - interval '1 second'")
    jobs.actors.bridge.rescue()
    row = jobs.get(job_id)
    assert (row["error_code"], row["rate_limited_by"]) == ("provider_unavailable", None)
    assert jobs.credits() == before


def test_a_full_window_admits_no_job_and_wakes_no_bridge(worker: InlineWorker, jobs: Jobs) -> None:
    for _ in range(3):
        jobs.enqueue("fox")
    row = jobs.conn.execute("select job_ids, next_due_in from private.dispatch_jobs(100, 1)").fetchone()
    assert row is not None and len(row[0]) == 1
    row = jobs.conn.execute("select job_ids, next_due_in from private.dispatch_jobs(100, 1)").fetchone()
    assert row == ([], None)
    assert rate_limited(jobs) == 2


def test_the_end_of_a_limit_is_the_end_of_waiting_for_it(worker: InlineWorker, jobs: Jobs) -> None:
    set_limit(jobs, "paused_until = now() + interval '1 hour'")
    job_id = jobs.enqueue("fox")
    assert worker.dispatch() == []
    jobs.conn.execute("delete from private.provider_limits")
    assert worker.dispatch() == [job_id]


def test_two_bridges_share_one_bucket(worker: InlineWorker, jobs: Jobs, database: str) -> None:
    set_limit(jobs, "starts_per_minute = 60, tokens = 1, refilled_at = now()")
    for _ in range(3):
        jobs.enqueue("fox")
    with psycopg.connect(database) as other:
        row = other.execute("select job_ids from private.dispatch_jobs(100, 100)").fetchone()
        assert row is not None and len(row[0]) == 1
        assert worker.dispatch() == []  # not committed yet: the other has the bucket
    assert len(worker.dispatch()) <= 1


@pytest.mark.parametrize(
    ("response", "seconds"),
    [
        (ErrorResponse(429, "Request was throttled. Your rate limit resets in ~30s."), 30),
        (ErrorResponse(429, "slow down", (("Retry-After", "7"),)), 7),
        (ErrorResponse(429, "slow down", (("Retry-After", "99999"),)), 300),
        (ErrorResponse(429, "slow down", (("Retry-After", "Fri, 01 Jan 2027 00:00:00 GMT"),)), 10),
    ],
)
def test_too_many_requests_pause_everybody_and_cost_no_attempt(
    worker: InlineWorker, jobs: Jobs, replicate: MisbehavingReplicate, response: ErrorResponse, seconds: float
) -> None:
    replicate.faults["create"].append(response)
    job_id = jobs.enqueue("fox")
    worker.run_once()
    row = jobs.get(job_id)
    assert (row["status"], row["attempt"], row["submitted_at"]) == ("queued", 0, None)
    paused = jobs.conn.execute(
        "select extract(epoch from paused_until - now())::float8 from private.provider_limits"
    ).fetchone()
    assert paused is not None and seconds - 5 < paused[0] <= seconds

    set_limit(jobs, "paused_until = now()")
    assert worker.run_to_the_end(job_id) == "succeeded"
    assert jobs.get(job_id)["attempt"] == 1


def test_a_throttled_rate_is_halved_once_and_grows_back(
    worker: InlineWorker, jobs: Jobs, replicate: MisbehavingReplicate
) -> None:
    replicate.faults["create"].extend([ErrorResponse(429, "resets in ~20s")] * 3)
    for _ in range(3):
        jobs.enqueue("fox")
    worker.run_once()
    assert replicate.requests.count("create") == 3
    assert worker.limit()["rate_factor"] == 0.5

    set_limit(jobs, "throttled_at = now() - interval '61 seconds'")
    row = jobs.conn.execute("select private.rate_factor_now(l) from private.provider_limits l").fetchone()
    assert row == (1,)


def test_a_provider_that_was_quiet_for_years_has_its_whole_rate(worker: InlineWorker, jobs: Jobs) -> None:
    set_limit(jobs, "rate_factor = 0.01, throttled_at = '2001-01-01', refilled_at = '2001-01-01', tokens = 0")
    job_id = jobs.enqueue("fox")
    assert worker.dispatch() == [job_id]


def test_a_provider_that_is_down_costs_no_attempts_and_is_tried_by_one_job_at_a_time(
    worker: InlineWorker, jobs: Jobs, replicate: MisbehavingReplicate, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tasks.providers.replicate import replicate as provider

    monkeypatch.setattr(
        provider(), "config", provider().config.model_copy(update={"replicate_base_url": DOWN})
    )
    for _ in range(8):
        jobs.enqueue("fox")
    worker.run_once()
    limit = worker.limit()
    assert (limit["failures"], limit["is_paused"]) == (8, True)
    assert (jobs.count("attempt = 0"), replicate.requests) == (8, [])

    set_limit(jobs, "paused_until = now()")
    jobs.conn.execute("update public.jobs set run_at = null")
    assert worker.run_once() == 1  # the one that tries; it fails
    assert worker.run_once() == 0

    monkeypatch.undo()
    set_limit(jobs, "paused_until = now()")
    jobs.conn.execute("update public.jobs set run_at = null")
    assert worker.run_once() == 1  # it succeeds, and all may go
    limit = worker.limit()
    assert (limit["failures"], limit["is_paused"]) == (0, False)
    assert worker.run_once() == 7


DOWN = "http://127.0.0.1:9"


def test_one_bad_hour_costs_a_job_one_attempt_at_most(
    worker: InlineWorker, jobs: Jobs, replicate: MisbehavingReplicate
) -> None:
    replicate.outage = ErrorResponse(503, "Service unavailable")
    job_ids = [jobs.enqueue("fox") for _ in range(6)]
    for _ in range(20):
        set_limit(jobs, "paused_until = now()")
        worker.run_once()
        jobs.conn.execute("update public.jobs set run_at = null where run_at is not null")
    assert {jobs.get(job_id)["attempt"] for job_id in job_ids} == {1}

    replicate.outage = None
    for job_id in job_ids:
        worker.age(job_id, 91)
    assert {worker.run_to_the_end(job_id) for job_id in job_ids} == {"succeeded"}
    assert all(len(replicate.of(job_id)) == 1 for job_id in job_ids)


def test_a_probe_without_an_answer_is_followed_by_another(worker: InlineWorker, jobs: Jobs) -> None:
    set_limit(jobs, "failures = 5")
    for _ in range(2):
        jobs.enqueue("fox")
    assert (len(worker.dispatch()), len(worker.dispatch())) == (1, 0)
    set_limit(jobs, "paused_until = now()")  # half a minute later
    assert len(worker.dispatch()) == 1


@pytest.mark.parametrize(
    ("target", "is_answer"),
    # refused by us before it is sent, and by the provider
    [("no model", False), ("foxes/fox", True)],
)
def test_only_an_answer_of_the_provider_closes_the_circuit(
    worker: InlineWorker, jobs: Jobs, replicate: MisbehavingReplicate, target: str, is_answer: bool
) -> None:
    set_limit(jobs, "failures = 5")
    replicate.faults["create"].append(ErrorResponse(422))
    jobs.conn.execute("update private.models set provider_model = %s where id = 'fox'", (target,))
    job_id = jobs.enqueue("fox")
    worker.run_once()
    code = "invalid_input" if is_answer else "internal"
    assert (jobs.get(job_id)["error_code"], "create" in replicate.requests) == (code, is_answer)
    assert worker.limit()["failures"] == (0 if is_answer else 5)


def test_a_failed_attempt_is_followed_by_the_next_no_sooner_than_its_time(
    worker: InlineWorker, jobs: Jobs, replicate: MisbehavingReplicate, plan: Plan
) -> None:
    plan(Behaviour(status="failed", error="Prediction interrupted; please retry"), Behaviour(seconds=None))
    job_id = jobs.enqueue("fox")
    worker.run_once()
    (failed,) = replicate.of(job_id)
    ended(replicate, job_id)
    set_limit(jobs, "paused_until = now() + interval '1 hour'")
    jobs.move(job_id, run_at="null")
    worker.run_once()
    assert not worker.webhook(job_id, failed.id)  # a replay
    jobs.conn.execute("update public.jobs set run_at = null")
    assert worker.dispatch() == []
    assert (jobs.status(job_id), jobs.get(job_id)["rate_limited_by"]) == ("queued", "replicate")


def test_a_job_that_is_rate_limited_is_tried_again_without_a_message_that_goes_round_the_limit(
    worker: InlineWorker, jobs: Jobs, replicate: MisbehavingReplicate, plan: Plan
) -> None:
    from tasks.generate import generate

    plan(Behaviour(status="failed", error="Prediction interrupted; please retry"))
    limited, free = jobs.enqueue("fox"), jobs.enqueue("fox")
    worker.run_once()
    for job_id in (limited, free):
        ended(replicate, job_id)
        jobs.move(job_id, run_at="null")

    generate(str(limited))
    assert (jobs.status(limited), jobs.get(limited)["rate_limited_by"]) == ("queued", "replicate")

    jobs.conn.execute("delete from private.provider_limits")
    with pytest.raises(Retry):  # its message
        generate(str(free))
    assert jobs.status(free) == "queued"


def test_a_retry_whose_reply_is_lost_is_rate_limited_all_the_same(worker: InlineWorker, jobs: Jobs) -> None:
    from tasks import store

    job_id = jobs.enqueue("fox")
    worker.dispatch()
    job = store.claim(str(job_id), lease=60)
    assert job is not None
    states = [
        store.retry(job, delay=5, code="provider_unavailable", message="Busy.", costs_attempt=True)
        for _ in range(2)
    ]
    assert states == ["rate_limited", "rate_limited"]


def test_a_healthy_start_writes_nothing_to_the_limit(worker: InlineWorker, jobs: Jobs, plan: Plan) -> None:
    plan(Behaviour(seconds=None))
    job_id = jobs.enqueue("fox")
    worker.dispatch()
    before = worker.limit()
    worker.deliver(job_id)
    assert worker.limit() == before
