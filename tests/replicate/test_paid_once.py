"""A create that did not answer may have happened: what was paid for is found, and only what was not
is made again.
"""

from typing import Any
from uuid import UUID

import pytest

from tests.replicate.behaviour import Behaviour, Create, ErrorResponse
from tests.replicate.conftest import InlineWorker, Plan, ended
from tests.replicate.server import MisbehavingReplicate
from tests.support.jobs import Jobs

AMBIGUOUS: list[Create] = ["drop after", "garble"]


def ambiguous(worker: InlineWorker, jobs: Jobs, plan: Plan, how: Create, **given: Any) -> UUID:
    """A job whose first create was accepted without an answer."""
    plan(Behaviour(create=how, seconds=None), Behaviour())
    job_id = jobs.enqueue("fox", **given)
    worker.run_once()
    row = jobs.get(job_id)
    assert (row["status"], row["provider_ref"]) == ("waiting", None)
    assert row["submitted_at"] is not None
    return job_id


@pytest.mark.parametrize("how", AMBIGUOUS)
def test_an_orphan_is_found_in_the_providers_list_and_collected(
    worker: InlineWorker, jobs: Jobs, replicate: MisbehavingReplicate, plan: Plan, how: Create
) -> None:
    job_id = ambiguous(worker, jobs, plan, how)
    replicate.end_all()
    assert worker.run_to_the_end(job_id) == "succeeded"
    assert len(replicate.of(job_id)) == 1
    assert jobs.get(job_id)["attempt"] == 1


@pytest.mark.parametrize("how", AMBIGUOUS)
def test_an_orphans_start_webhook_gives_it_its_job_back(
    worker: InlineWorker, jobs: Jobs, replicate: MisbehavingReplicate, plan: Plan, how: Create
) -> None:
    job_id = ambiguous(worker, jobs, plan, how)
    (orphan,) = replicate.of(job_id)
    assert worker.webhook(job_id, orphan.id, is_final=False)
    replicate.end_all()
    assert worker.run_to_the_end(job_id) == "succeeded"
    assert ("list" in replicate.requests, len(replicate.of(job_id))) == (False, 1)


def test_nothing_is_created_again_while_the_list_may_be_late(
    worker: InlineWorker, jobs: Jobs, replicate: MisbehavingReplicate, plan: Plan
) -> None:
    job_id = ambiguous(worker, jobs, plan, "drop after")
    replicate.list_lag = 40
    replicate.end_all()
    for age in (10, 20):  # 10 s and 30 s after the create: it does not show yet
        worker.age(job_id, age)
        jobs.move(job_id, run_at="null")
        worker.run_once()
        assert jobs.status(job_id) == "waiting"
    worker.age(job_id, 30)
    assert worker.run_to_the_end(job_id) == "succeeded"
    assert len(replicate.of(job_id)) == 1


@pytest.mark.parametrize("how", ["drop before", "refuse"])
def test_a_create_that_never_arrived_is_repeated_once_the_list_has_shown_so(
    worker: InlineWorker, jobs: Jobs, replicate: MisbehavingReplicate, plan: Plan, how: Create
) -> None:
    plan(Behaviour(create=how), Behaviour())
    job_id = jobs.enqueue("fox")
    worker.run_once()
    jobs.move(job_id, run_at="null")
    worker.run_once()
    assert (jobs.status(job_id), replicate.requests.count("create")) == ("waiting", 1)

    worker.age(job_id, 91)
    assert worker.run_to_the_end(job_id) == "succeeded"
    assert (jobs.get(job_id)["attempt"], len(replicate.of(job_id))) == (2, 1)


@pytest.mark.parametrize("fault", [ErrorResponse(500), ErrorResponse(429), ErrorResponse(401)])
def test_a_list_that_does_not_answer_proves_nothing(
    worker: InlineWorker, jobs: Jobs, replicate: MisbehavingReplicate, plan: Plan, fault: ErrorResponse
) -> None:
    job_id = ambiguous(worker, jobs, plan, "drop after")
    worker.age(job_id, 200)
    replicate.faults["list"].extend([fault] * 3)
    replicate.end_all()
    assert worker.run_to_the_end(job_id) == "succeeded"
    assert len(replicate.of(job_id)) == 1


def test_a_create_that_never_answers_is_given_up_in_time_and_its_prediction_found(
    worker: InlineWorker,
    jobs: Jobs,
    replicate: MisbehavingReplicate,
    plan: Plan,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from tasks.providers import replicate_transport

    # the package itself sets none
    monkeypatch.setitem(replicate_transport.REPLICATE_TIMEOUT, "read", 0.2)
    job_id = ambiguous(worker, jobs, plan, "stall")
    replicate.end_all()
    assert worker.run_to_the_end(job_id) == "succeeded"
    assert len(replicate.of(job_id)) == 1


def test_a_list_of_many_pages_is_read_to_the_end_of_the_window(
    worker: InlineWorker, jobs: Jobs, replicate: MisbehavingReplicate, plan: Plan
) -> None:
    job_id = ambiguous(worker, jobs, plan, "drop after")
    for _ in range(250):
        replicate.create({"input": {"prompt": "another fox"}}, "foxes/fox", None)
    replicate.end_all()
    assert worker.run_to_the_end(job_id) == "succeeded"
    assert replicate.requests.count("list") == 3


def test_of_two_jobs_with_the_same_input_each_adopts_its_own(
    worker: InlineWorker, jobs: Jobs, replicate: MisbehavingReplicate, plan: Plan
) -> None:
    first = ambiguous(worker, jobs, plan, "drop after")
    second = ambiguous(worker, jobs, plan, "drop after")
    replicate.end_all()
    assert {worker.run_to_the_end(first), worker.run_to_the_end(second)} == {"succeeded"}
    for job_id in (first, second):
        assert [one.id for one in replicate.of(job_id)] == [jobs.get(job_id)["provider_ref"]]


def test_without_a_seed_two_orphans_with_one_input_are_shared_out_and_not_made_again(
    worker: InlineWorker, jobs: Jobs, replicate: MisbehavingReplicate, plan: Plan
) -> None:
    jobs.conn.execute(
        "update private.models set input_schema = input_schema #- '{properties,seed}' where id = 'fox'"
    )
    first = ambiguous(worker, jobs, plan, "drop after")
    second = ambiguous(worker, jobs, plan, "drop after")
    replicate.end_all()
    assert {worker.run_to_the_end(second), worker.run_to_the_end(first)} == {"succeeded"}
    assert len(replicate.of(first)) == len(replicate.of(second)) == 1
    refs = {jobs.get(job_id)["provider_ref"] for job_id in (first, second)}
    assert refs == set(replicate.predictions.all)


def test_a_job_whose_prediction_was_taken_by_its_twin_takes_the_twins(
    worker: InlineWorker, jobs: Jobs, replicate: MisbehavingReplicate, plan: Plan
) -> None:
    from tasks import store

    jobs.conn.execute(
        "update private.models set input_schema = input_schema #- '{properties,seed}' where id = 'fox'"
    )
    twin = ambiguous(worker, jobs, plan, "drop after")
    job_id = jobs.enqueue("fox")
    worker.dispatch()
    job = store.claim(str(job_id), lease=60)
    assert job is not None and store.record_submission(job)
    prediction, _ = replicate.create(
        {"input": {"steps": 4, "prompt": "a fox"}, "webhook": f"?job={job_id}"}, "foxes/fox", None
    )
    (orphan,) = replicate.of(twin)
    jobs.move(
        twin, provider_ref=f"'{prediction.id}'"
    )  # the twin's look at the list was faster than our reply

    assert store.wait_for_provider(job, provider_ref=prediction.id, check_in=0)
    assert jobs.get(job_id)["provider_ref"] is None
    replicate.end_all()
    assert {worker.run_to_the_end(job_id), worker.run_to_the_end(twin)} == {"succeeded"}
    assert jobs.get(job_id)["provider_ref"] == orphan.id
    assert len(replicate.predictions.all) == 2


def test_a_worker_that_dies_between_intent_and_reference_leaves_a_job_that_finds_its_prediction(
    worker: InlineWorker, jobs: Jobs, replicate: MisbehavingReplicate, plan: Plan
) -> None:
    from tasks import store
    from tasks.providers.replicate import replicate as provider

    plan(Behaviour(seconds=None), Behaviour())
    job_id = jobs.enqueue("fox")
    worker.dispatch()
    job = store.claim(str(job_id), lease=60)
    assert job is not None and store.record_submission(job)
    provider().start(job)  # and here it dies

    jobs.move(job_id, lease_expires_at="now() - interval '1 second'")
    jobs.actors.bridge.rescue()
    assert jobs.status(job_id) == "waiting"
    replicate.end_all()
    assert worker.run_to_the_end(job_id) == "succeeded"
    assert len(replicate.of(job_id)) == 1


def test_a_worker_that_dies_before_the_call_leaves_a_job_that_is_created_once(
    worker: InlineWorker, jobs: Jobs, replicate: MisbehavingReplicate
) -> None:
    from tasks import store

    job_id = jobs.enqueue("fox")
    worker.dispatch()
    job = store.claim(str(job_id), lease=60)
    assert job is not None and store.record_submission(job)

    jobs.move(job_id, lease_expires_at="now() - interval '1 second'")
    jobs.actors.bridge.rescue()
    worker.age(job_id, 91)
    assert worker.run_to_the_end(job_id) == "succeeded"
    assert len(replicate.of(job_id)) == 1


def test_a_reference_reaches_a_job_that_was_rescued_during_the_call(
    worker: InlineWorker,
    jobs: Jobs,
    replicate: MisbehavingReplicate,
    plan: Plan,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A worker was frozen within its create; its lease is over, and the job waits again."""
    from tasks.providers.replicate import Replicate as Provider

    start = Provider.start

    def rescued_during_the_call(self: Provider, job: object) -> object:
        started = start(self, job)  # type: ignore[arg-type]
        jobs.move(job_id, lease_expires_at="now() - interval '1 second'")
        jobs.actors.bridge.rescue()
        return started

    monkeypatch.setattr(Provider, "start", rescued_during_the_call)
    plan(Behaviour(seconds=None))
    job_id = jobs.enqueue("fox")
    worker.run_once()
    (prediction,) = replicate.of(job_id)
    assert (jobs.status(job_id), jobs.get(job_id)["provider_ref"]) == ("waiting", prediction.id)


def test_an_orphan_that_reports_itself_too_late_is_canceled(
    worker: InlineWorker, jobs: Jobs, replicate: MisbehavingReplicate, plan: Plan
) -> None:
    """The residual window: the list showed nothing for 90 seconds, and then there was something."""
    replicate.list_lag = 10_000
    job_id = ambiguous(worker, jobs, plan, "drop after")
    (orphan,) = replicate.of(job_id)
    worker.age(job_id, 91)
    assert worker.run_to_the_end(job_id) == "succeeded"
    assert len(replicate.of(job_id)) == 2

    assert not worker.webhook(job_id, orphan.id, is_final=False)
    worker.run_once()
    assert orphan.is_cancel_asked
    assert not replicate.of(job_id)[1].is_cancel_asked
    assert worker.provider_cancellations() == []


def test_an_orphan_found_while_its_successor_starts_is_canceled(
    worker: InlineWorker, jobs: Jobs, replicate: MisbehavingReplicate, plan: Plan
) -> None:
    from tasks import store

    replicate.list_lag = 10_000
    job_id = ambiguous(worker, jobs, plan, "drop after")
    (orphan,) = replicate.of(job_id)
    worker.age(job_id, 91)
    jobs.move(job_id, run_at="null")
    worker.run_once()  # finds nothing: queued again
    job = store.claim(str(job_id), lease=60)
    assert job is not None and store.record_submission(job)
    assert worker.webhook(job_id, orphan.id, is_final=False)
    assert store.wait_for_provider(job, provider_ref="successor", check_in=60)
    assert jobs.get(job_id)["provider_ref"] == "successor"
    jobs.move(job_id, run_at="now() + interval '1 hour'")
    assert (worker.provider_cancellations(), worker.dispatch()) == (
        [orphan.id],
        [],
    )  # a message would run the job

    jobs.cancel(job_id)
    worker.run_once()
    assert orphan.is_cancel_asked


def test_a_failed_attempt_is_not_taken_for_the_next_ones_orphan(
    worker: InlineWorker, jobs: Jobs, replicate: MisbehavingReplicate, plan: Plan
) -> None:
    plan(
        Behaviour(status="failed", error="please retry"),
        Behaviour(create="drop after", seconds=None),
        Behaviour(),
    )
    job_id = jobs.enqueue("fox")
    worker.run_once()
    ended(replicate, job_id)
    replicate.of(job_id)[0].created -= 60
    jobs.move(job_id, run_at="null")
    worker.run_once()
    worker.run_once()
    jobs.conn.execute("update public.jobs set run_at = null")
    worker.run_once()
    assert len(replicate.of(job_id)) == 2
    replicate.end_all()
    assert worker.run_to_the_end(job_id) == "succeeded"
    assert len(replicate.of(job_id)) == 2


EDITS = {
    "edited": "defaults = '{\"steps\": 9}'",
    "given another schema": "input_schema = input_schema #- '{properties,seed}'",
    "re-pointed to another model": "provider_model = 'bears/bear'",
    "re-pointed to another provider": "provider = 'preview', provider_model = 'picture'",
    "disabled": "enabled = false",
    "re-priced and bounded": "cost = 50, timeout = '1 second', max_attempts = 1",
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS.keys())
@pytest.mark.parametrize("state", ["queued", "create outstanding", "waiting"])
def test_a_model_that_is_changed_in_flight_changes_no_job_under_way(
    worker: InlineWorker, jobs: Jobs, replicate: MisbehavingReplicate, plan: Plan, edit: str, state: str
) -> None:
    before = jobs.credits()
    plan(Behaviour(create="drop after" if state == "create outstanding" else "answer", seconds=None))
    job_id = jobs.enqueue("fox", prompt="a fox")
    if state != "queued":
        worker.run_once()
    jobs.conn.execute(f"update private.models set {edit} where id = 'fox'".encode())  # noqa: S608
    if state == "queued":
        worker.run_once()
    replicate.end_all()

    assert worker.run_to_the_end(job_id) == "succeeded"

    (prediction,) = replicate.of(job_id)
    assert (prediction.model, prediction.body["input"]["steps"]) == ("foxes/fox", 4)
    assert "seed" in prediction.body["input"]
    assert before - jobs.credits() == 3
