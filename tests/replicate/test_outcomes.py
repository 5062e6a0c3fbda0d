"""The result and the cost for a user, for every answer of Replicate."""

from typing import Any
from uuid import UUID

import pytest

from tests.edge.test_webhook import token
from tests.replicate.behaviour import Behaviour, ErrorResponse
from tests.replicate.conftest import SECRET_KEY, InlineWorker, Plan, ended
from tests.replicate.server import MisbehavingReplicate
from tests.support.jobs import Jobs


def started(worker: InlineWorker, jobs: Jobs, model: str = "fox", **given: Any) -> UUID:
    job_id = jobs.enqueue(model, **given)
    assert worker.run_once() == 1
    return job_id


def failing(error: str | None) -> Behaviour:
    return Behaviour(status="failed", error=error)


def test_a_prediction_is_created_waited_for_without_a_worker_and_collected(
    worker: InlineWorker, jobs: Jobs, replicate: MisbehavingReplicate
) -> None:
    job_id = started(worker, jobs)
    (prediction,) = replicate.of(job_id)
    row = jobs.get(job_id)
    assert (row["status"], row["provider_ref"]) == ("waiting", prediction.id)
    assert prediction.body["webhook"] == (
        f"https://project.example.com/functions/v1/provider_webhook?job={job_id}&token={token(SECRET_KEY, job_id)}"
    )
    assert prediction.body["webhook_events_filter"] == ["start", "completed"]
    assert prediction.cancel_after in ("899s", "900s")

    ended(replicate, job_id)
    assert worker.webhook(job_id, prediction.id)
    assert worker.run_once() == 1
    assert jobs.status(job_id) == "succeeded"
    (picture,) = worker.generation(job_id)["output"]
    assert (picture["width"], picture["height"], picture["mime"]) == (64, 48, "image/png")
    assert picture["blurhash"]
    assert picture["token"] == f"token of {picture['path']}"
    assert list(worker.stored) == [picture["path"], picture["thumb"]]


def test_the_input_is_the_models_defaults_and_what_a_user_may_choose(
    worker: InlineWorker, jobs: Jobs, replicate: MisbehavingReplicate
) -> None:
    job_id = started(worker, jobs, prompt="a red fox", seed=7)
    (prediction,) = replicate.of(job_id)
    assert prediction.body["input"] == {"steps": 4, "prompt": "a red fox", "seed": 7}


def test_a_model_of_a_version_is_asked_for_by_version(
    worker: InlineWorker, jobs: Jobs, replicate: MisbehavingReplicate
) -> None:
    job_id = started(worker, jobs, "pinned")
    (prediction,) = replicate.of(job_id)
    assert prediction.body["version"] == "abc123"


def test_a_job_too_close_to_its_deadline_is_not_paid_for(
    worker: InlineWorker, jobs: Jobs, replicate: MisbehavingReplicate
) -> None:
    job_id = jobs.enqueue("fox")
    jobs.move(job_id, deadline_at="now() + interval '5 seconds'")
    worker.run_once()
    assert jobs.get(job_id)["error_code"] == "timed_out"
    assert "create" not in replicate.requests


@pytest.mark.parametrize(
    ("response", "code"),
    [
        (ErrorResponse(400, "bad"), "invalid_input"),
        (ErrorResponse(422, "- input.prompt: is required"), "invalid_input"),
        (ErrorResponse(413, "too large"), "invalid_input"),
        (ErrorResponse(422, "The prompt was flagged as sensitive."), "content_rejected"),
        (ErrorResponse(409, "conflict"), "provider_rejected"),
    ],
)
def test_a_refused_create_fails_the_job_at_once_and_costs_nothing(
    worker: InlineWorker, jobs: Jobs, replicate: MisbehavingReplicate, response: ErrorResponse, code: str
) -> None:
    before = jobs.credits()
    replicate.faults["create"].append(response)
    job_id = started(worker, jobs)
    assert (jobs.status(job_id), jobs.get(job_id)["error_code"]) == ("failed", code)
    assert response.detail not in worker.generation(job_id)["error_message"]
    assert (jobs.credits(), len(replicate.of(job_id))) == (before, 0)


@pytest.mark.parametrize(
    ("behaviour", "status", "code", "predictions"),
    [
        (failing("NSFW content detected. Try running it again."), "failed", "content_rejected", 1),
        (failing("flagged as sensitive (E005)"), "failed", "content_rejected", 1),
        (failing("CUDA out of memory"), "failed", "provider_rejected", 1),
        (failing(None), "failed", "provider_rejected", 1),
        (failing("Prediction interrupted; please retry (code: PA)"), "failed", "provider_unavailable", 3),
        (Behaviour(status="canceled"), "failed", "provider_rejected", 1),
        (Behaviour(status="aborted"), "failed", "timed_out", 1),
        (Behaviour(output="several"), "succeeded", None, 1),
        (Behaviour(output="named"), "succeeded", None, 1),
        (Behaviour(output="inline"), "succeeded", None, 1),
        (Behaviour(output="text"), "succeeded", None, 1),
        (Behaviour(output="numbers"), "failed", "provider_unavailable", 1),
        (Behaviour(output="foreign"), "failed", "provider_unavailable", 1),
        (Behaviour(output="page"), "failed", "provider_rejected", 1),
        (Behaviour(output="broken"), "failed", "provider_rejected", 1),
        (Behaviour(output="endless"), "failed", "provider_rejected", 1),
        (Behaviour(output="moved"), "failed", "provider_unavailable", 1),
        (Behaviour(output="removed"), "failed", "provider_unavailable", 1),
    ],
)  # fmt: skip
def test_how_a_prediction_ends_is_how_its_job_ends(
    worker: InlineWorker, jobs: Jobs, replicate: MisbehavingReplicate, plan: Plan,
    behaviour: Behaviour, status: str, code: str | None, predictions: int,
) -> None:  # fmt: skip
    before = jobs.credits()
    plan(behaviour)
    job_id = jobs.enqueue("fox")
    assert worker.run_to_the_end(job_id) == status
    assert jobs.get(job_id)["error_code"] == code
    assert len(replicate.of(job_id)) == predictions
    assert jobs.credits() == before - (3 if status == "succeeded" else 0)


def test_every_output_of_several_is_stored(worker: InlineWorker, jobs: Jobs, plan: Plan) -> None:
    plan(Behaviour(output="several"))
    job_id = jobs.enqueue("fox")
    worker.run_to_the_end(job_id)
    assert [picture["path"] for picture in worker.generation(job_id)["output"]] == [
        f"{jobs.user_id}/{job_id}/0.png",
        f"{jobs.user_id}/{job_id}/1.png",
    ]


def test_progress_comes_from_the_predictions_logs(worker: InlineWorker, jobs: Jobs, plan: Plan) -> None:
    plan(Behaviour(seconds=None, logs="Using seed 7\n 40%|████      | 2/5 [00:01<00:02]"))
    job_id = started(worker, jobs)
    jobs.move(job_id, run_at="null")
    worker.run_once()
    assert jobs.status(job_id) == "waiting"
    assert jobs.get(job_id)["progress"] == pytest.approx(0.4)


@pytest.mark.parametrize(
    "fault",
    [
        ErrorResponse(500),
        ErrorResponse(503),
        ErrorResponse(429, "resets in ~7s."),
        ErrorResponse(404),
        ErrorResponse(401),
    ],
)
def test_a_question_without_an_answer_neither_costs_an_attempt_nor_starts_anything(
    worker: InlineWorker, jobs: Jobs, replicate: MisbehavingReplicate, fault: ErrorResponse
) -> None:
    job_id = started(worker, jobs)
    replicate.faults["get"].extend([fault] * 3)
    assert worker.run_to_the_end(job_id) == "succeeded"
    assert replicate.requests.count("get") == 4  # the package does not ask again by itself
    assert (jobs.get(job_id)["attempt"], len(replicate.of(job_id))) == (1, 1)


@pytest.mark.parametrize("fault", [ErrorResponse(500), ErrorResponse(429)])
def test_an_output_that_cannot_be_fetched_now_is_fetched_later_and_not_made_again(
    worker: InlineWorker, jobs: Jobs, replicate: MisbehavingReplicate, fault: ErrorResponse
) -> None:
    job_id = started(worker, jobs)
    replicate.faults["file"].extend([fault] * 2)
    assert worker.run_to_the_end(job_id) == "succeeded"
    assert (jobs.get(job_id)["attempt"], len(replicate.of(job_id))) == (1, 1)


def test_an_output_that_never_comes_whole_is_not_paid_for_again(
    worker: InlineWorker, jobs: Jobs, replicate: MisbehavingReplicate, plan: Plan
) -> None:
    plan(Behaviour(output="cut"))
    job_id = started(worker, jobs)
    assert worker.run_to_the_end(job_id) == "waiting"
    assert len(replicate.of(job_id)) == 1


def test_an_expired_output_fails_the_job_and_is_not_paid_for_again(
    worker: InlineWorker, jobs: Jobs, replicate: MisbehavingReplicate
) -> None:
    before = jobs.credits()
    job_id = started(worker, jobs)
    replicate.faults["file"].append(ErrorResponse(404))
    assert worker.run_to_the_end(job_id) == "failed"
    assert jobs.get(job_id)["error_code"] == "provider_unavailable"
    assert (jobs.credits(), len(replicate.of(job_id))) == (before, 1)


def test_a_refused_value_is_named_to_the_user(
    worker: InlineWorker, jobs: Jobs, replicate: MisbehavingReplicate
) -> None:
    replicate.faults["create"].append(
        ErrorResponse(422, "- input.seed: Invalid type. given: null\n", invalid_fields=("input.seed",))
    )
    job_id = started(worker, jobs)
    assert worker.generation(job_id)["error_message"] == "The model does not take this value of `seed`."


def test_a_model_that_could_not_fetch_our_photo_is_asked_again(
    worker: InlineWorker, jobs: Jobs, replicate: MisbehavingReplicate, plan: Plan
) -> None:
    plan(failing("Input validation error: could not fetch https://x.example/1.png?token=abc"), Behaviour())
    job_id = jobs.enqueue("fox")
    assert worker.run_to_the_end(job_id) == "succeeded"
    assert len(replicate.of(job_id)) == 2


@pytest.mark.parametrize("kind", ["refused create", "unreadable create", "failed prediction", "bug of ours"])
def test_a_failure_is_told_with_its_cause_and_without_the_prompt(
    worker: InlineWorker,
    jobs: Jobs,
    replicate: MisbehavingReplicate,
    plan: Plan,
    kind: str,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    prompt = "Ada Lovelace at 12 Fleet Street"
    match kind:
        case "refused create":
            replicate.faults["create"].append(ErrorResponse(422, f"- input.prompt: strange, given: {prompt}"))
        case "unreadable create":
            plan(Behaviour(create="garble", seconds=None))
        case "failed prediction":
            plan(failing(f"strange: {prompt}"))
        case "bug of ours":
            monkeypatch.setattr(
                "tasks.results.save", lambda job, outputs: {"": ""}[f"strange {job.provider_input['prompt']}"]
            )
    job_id = jobs.enqueue("fox", prompt=prompt)
    worker.run_to_the_end(job_id, looks=3)
    (told, *_) = [vars(record) for record in caplog.records if record.getMessage() == "attempt.failed"]
    assert told["job_id"] == job_id
    assert ("not JSON" if kind == "unreadable create" else "strange") in told["error"]
    assert ("exception" in told) == (kind == "bug of ours")
    for record in caplog.records:
        assert "Lovelace" not in str(vars(record)), record.getMessage()


def test_a_request_that_cannot_be_read_ends_its_job_and_says_so(
    worker: InlineWorker, jobs: Jobs, replicate: MisbehavingReplicate, caplog: pytest.LogCaptureFixture
) -> None:
    before = jobs.credits()
    job_id = jobs.enqueue("fox")
    jobs.conn.execute("update private.job_requests set provider_input = '{\"prompt\": 1e5000}'")
    assert worker.run_to_the_end(job_id) == "failed"
    assert (jobs.get(job_id)["error_code"], jobs.credits()) == ("internal", before)
    (told,) = [vars(record) for record in caplog.records if record.getMessage() == "attempt.failed"]
    assert "ValueError" in told["error"]
    assert "create" not in replicate.requests
