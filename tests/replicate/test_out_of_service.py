"""A refused account or a model that is gone: its jobs wait, and the operator is told."""

from typing import Any

import pytest

from tests.replicate.behaviour import ErrorResponse
from tests.replicate.conftest import InlineWorker
from tests.replicate.server import MisbehavingReplicate
from tests.support.jobs import Jobs
from tests.support.waiting import wait_until

NO_CREDIT = ErrorResponse(
    402, "You have insufficient credit to run this model. Go to replicate.com to purchase credit."
)
NO_VERSION = ErrorResponse(
    422, "The specified version does not exist (or perhaps you don't have permission to use it?)"
)
NOT_FOUND = ErrorResponse(404, "The requested resource could not be found.")


def limit(jobs: Jobs, name: str = "replicate") -> dict[str, Any]:
    row = jobs.conn.execute(
        "select to_jsonb(l) || jsonb_build_object('is_paused', paused_until > now(),"
        " 'seconds', extract(epoch from paused_until - now()))"
        " from private.provider_limits l where provider = %s",
        (name,),
    ).fetchone()
    assert row is not None
    return dict(row[0])


def minute_passes(jobs: Jobs) -> None:
    jobs.conn.execute("update private.provider_limits set paused_until = now() where paused_until > now()")
    jobs.conn.execute("update public.jobs set run_at = null where run_at is not null")


def problems(jobs: Jobs) -> dict[str, str | None]:
    rows = jobs.conn.execute("select item, problem from private.operator_status()").fetchall()
    return {str(item): problem for item, problem in rows if str(item).startswith("provider ")}


def alarms(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [
        vars(record)
        for record in caplog.records
        if record.getMessage() == "provider.refused_account" and record.levelname == "ERROR"
    ]


@pytest.mark.parametrize(
    "refusal", [ErrorResponse(401, "Unauthenticated"), NO_CREDIT, ErrorResponse(403, "Forbidden")]
)
def test_a_refused_account_costs_no_attempt_and_one_job_at_a_time_tries(
    worker: InlineWorker,
    jobs: Jobs,
    replicate: MisbehavingReplicate,
    refusal: ErrorResponse,
    caplog: pytest.LogCaptureFixture,
) -> None:
    replicate.faults["create"].extend([refusal] * 100)
    first, *others = [jobs.enqueue("fox") for _ in range(6)]
    worker.deliver(first)
    for _ in range(5):
        assert worker.run_once() == 0  # no job tries before its time
    assert replicate.requests == ["create"]
    assert problems(jobs)["provider replicate"] == f"{refusal.status}: {refusal.detail}"
    assert [alarm["reason"] for alarm in alarms(caplog)] == [f"{refusal.status}: {refusal.detail}"]

    for tries in range(2, 5):
        minute_passes(jobs)
        assert worker.run_once() == 1
        assert worker.run_once() == 0
        assert replicate.requests == ["create"] * tries
    assert jobs.count("attempt = 0 and status = 'queued'") == 6
    assert 50 < limit(jobs)["seconds"] <= 60

    replicate.faults["create"].clear()
    minute_passes(jobs)
    assert worker.run_once() == 1  # it succeeds, and all may go
    assert (limit(jobs)["is_paused"], limit(jobs)["paused_reason"]) == (False, None)
    assert problems(jobs) == {"provider replicate": None}
    assert {worker.run_to_the_end(job_id) for job_id in (first, *others)} == {"succeeded"}
    assert jobs.count("attempt = 1") == 6


@pytest.mark.parametrize("refusal", [NO_VERSION, NOT_FOUND, ErrorResponse(410, "Gone")])
def test_a_model_that_is_gone_stops_no_other_model(
    worker: InlineWorker, jobs: Jobs, replicate: MisbehavingReplicate, refusal: ErrorResponse
) -> None:
    replicate.faults["create"].append(refusal)
    gone = [jobs.enqueue("pinned") for _ in range(3)]
    worker.deliver(gone[0])
    others = [jobs.enqueue("fox") for _ in range(3)]
    late = jobs.enqueue("pinned")
    assert worker.run_once() == 3
    assert replicate.requests == ["create"] * 4
    assert {jobs.status(job_id) for job_id in others} == {"waiting"}
    assert {jobs.status(job_id) for job_id in (*gone, late)} == {"queued"}
    name = "provider replicate foxes/fox:abc123"
    assert problems(jobs) == {"provider replicate": None, name: f"{refusal.status}: {refusal.detail}"}

    minute_passes(jobs)
    worker.run_once()  # the others are collected, and one of these tries
    worker.run_once()
    assert name not in problems(jobs)
    assert {worker.run_to_the_end(job_id) for job_id in (*gone, *others, late)} == {"succeeded"}
    assert jobs.count("attempt = 1") == 7


def test_a_model_that_is_pointed_elsewhere_does_not_wait(
    worker: InlineWorker, jobs: Jobs, replicate: MisbehavingReplicate
) -> None:
    replicate.faults["create"].append(NO_VERSION)
    worker.deliver(jobs.enqueue("pinned"))
    jobs.conn.execute("update private.models set provider_model = 'foxes/fox:def456' where id = 'pinned'")
    job_id = jobs.enqueue("pinned")
    assert jobs.get(job_id)["rate_limited_by"] == "replicate"
    assert worker.run_to_the_end(job_id) == "succeeded"


def test_the_job_that_was_refused_is_not_the_next_to_try(
    worker: InlineWorker, jobs: Jobs, replicate: MisbehavingReplicate
) -> None:
    """It may be the reason: a firewall that dislikes its prompt must not stop the others for as
    long as it waits.
    """
    replicate.faults["create"].append(ErrorResponse(403, "blocked"))
    refused, other = jobs.enqueue("fox"), jobs.enqueue("fox")
    worker.deliver(refused)
    row = jobs.conn.execute(
        "select run_at > paused_until from public.jobs, private.provider_limits where id = %s", (refused,)
    ).fetchone()
    assert row == (True,)
    jobs.conn.execute("update private.provider_limits set paused_until = now()")
    assert worker.dispatch() == [other]


@pytest.mark.parametrize("refusal", [NO_CREDIT, NOT_FOUND])
def test_a_job_that_is_late_because_its_provider_is_paused_says_so(
    worker: InlineWorker, jobs: Jobs, replicate: MisbehavingReplicate, refusal: ErrorResponse
) -> None:
    before = jobs.credits()
    replicate.faults["create"].append(refusal)
    tried, never_tried = jobs.enqueue("fox"), jobs.enqueue("fox")
    worker.deliver(tried)
    for job_id in (tried, never_tried):
        jobs.move(job_id, deadline_at="now() - interval '1 second'")
    jobs.conn.execute("select private.rescue_jobs(10)")
    for job_id in (tried, never_tried):
        ended = worker.generation(job_id)
        assert ended["error_code"] == "provider_unavailable"
        assert ended["error_message"] == "The service is busy. Please try again later."
    assert jobs.credits() == before


def test_a_job_that_is_too_late_to_start_does_not_try(
    worker: InlineWorker, jobs: Jobs, replicate: MisbehavingReplicate
) -> None:
    replicate.faults["create"].append(NO_CREDIT)
    late, other = jobs.enqueue("fox"), jobs.enqueue("fox")
    worker.deliver(late)
    jobs.move(late, deadline_at="now() + interval '9 seconds'")
    minute_passes(jobs)
    assert worker.dispatch() == [other]


def test_a_provider_without_a_limit_gets_a_row_and_its_queued_jobs_wait(
    worker: InlineWorker, jobs: Jobs, replicate: MisbehavingReplicate
) -> None:
    jobs.conn.execute("delete from private.provider_limits")
    replicate.faults["create"].append(NO_CREDIT)
    first, *_ = [jobs.enqueue("fox") for _ in range(4)]
    worker.deliver(first)
    assert limit(jobs)["is_paused"]
    assert worker.run_once() == 0
    assert jobs.count("rate_limited_by = 'replicate'") == 4

    minute_passes(jobs)
    assert worker.run_once() == 1
    assert limit(jobs)["paused_reason"] is None

    def all_have_gone() -> bool:
        worker.run_once()
        return jobs.count("submitted_at is not null") == 4

    wait_until(all_have_gone, "every start, each with a token of its own")


def test_a_worker_without_a_token_fails_nothing(
    worker: InlineWorker, jobs: Jobs, replicate: MisbehavingReplicate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REPLICATE_API_TOKEN")
    job_id = jobs.enqueue("fox")
    worker.run_once()
    assert (jobs.status(job_id), jobs.get(job_id)["attempt"], replicate.requests) == ("queued", 0, [])
    assert problems(jobs)["provider replicate"] == "401: REPLICATE_API_TOKEN is not set"


def test_trouble_with_the_account_does_not_end_work_that_is_under_way(
    worker: InlineWorker, jobs: Jobs, replicate: MisbehavingReplicate, caplog: pytest.LogCaptureFixture
) -> None:
    job_id = jobs.enqueue("fox")
    worker.run_once()
    replicate.faults["get"].extend([ErrorResponse(401, "Unauthenticated")] * 2)
    assert worker.run_to_the_end(job_id) == "succeeded"
    assert len(alarms(caplog)) == 2


def test_a_cause_that_passes_does_not_hide_the_reason(
    worker: InlineWorker, jobs: Jobs, replicate: MisbehavingReplicate
) -> None:
    replicate.faults["create"].extend([NO_CREDIT, ErrorResponse(503, "down")])
    job_id = jobs.enqueue("fox")
    worker.run_once()
    minute_passes(jobs)
    worker.run_once()
    assert jobs.status(job_id) == "waiting"
    assert limit(jobs)["paused_reason"] == f"402: {NO_CREDIT.detail}"


def test_a_deep_backlog_of_a_model_that_is_gone_is_moved_in_pieces(worker: InlineWorker, jobs: Jobs) -> None:
    jobs.conn.execute("delete from private.provider_limits")
    for _ in range(3):
        jobs.enqueue("pinned")
    jobs.conn.execute(
        "with one as (select * from public.jobs limit 1), new as ("
        "  insert into public.jobs (id, user_id, model_id, input, cost, rank, max_attempts, deadline_at)"
        "  select gen_random_uuid(), user_id, model_id, input, cost, rank + n, max_attempts, deadline_at"
        "  from one, generate_series(1, 1200) n returning id"
        ") insert into private.job_requests (job_id, provider, provider_model, provider_input)"
        " select new.id, r.provider, r.provider_model, r.provider_input"
        " from new, private.job_requests r join one on one.id = r.job_id"
    )
    for moved in (1000, 1203):
        jobs.conn.execute("select private.record_refused_account('replicate', 'gone', 'foxes/fox:abc123')")
        assert jobs.count("rate_limited_by = 'replicate foxes/fox:abc123'") == moved
