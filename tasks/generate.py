"""The one task: run one attempt of a job and record its outcome."""

import logging
import time
import traceback
from contextlib import suppress

from celery import Task
from celery.exceptions import Reject

import logs
import settings
from tasks import background, outcome, providers, results, store, submission
from tasks.celery import app
from tasks.lease import Lease, LeaseLost, keeper
from tasks.outcome import Complete, Fail, Outcome, Release, Retry, Wait
from tasks.providers.protocol import Done, Pending, Permanent, Started
from tasks.providers.redaction import redacted
from tasks.store import Job
from tasks.worker import push

log = logging.getLogger("tasks")


@app.task(name=settings.TASK_NAME, bind=True, max_retries=None)  # the row counts attempts
def generate(self: "Task[[str], None]", job_id: str) -> None:
    """Safe to deliver twice: `store.claim` lets one delivery through, the others return."""
    seconds = settings.load().lease_seconds
    if keeper().is_leaving:  # the bridge detects the lost message and sends another one
        return
    try:
        job = store.claim(job_id, lease=seconds)
    except store.DATABASE_ERRORS as error:  # the bridge detects the lost message and sends another
        log.warning("job.not_claimed", extra={"job_id": job_id, "error": logs.describe(error)})
        return
    if job is None:
        log.info("job.not_claimable", extra={"job_id": job_id})
        with suppress(*store.DATABASE_ERRORS):  # the bridge sends a message for the job again
            submission.run_provider_cancellations(job_id)
        return
    log.info("job.claimed", extra=job.facts)
    with keeper().renewing(job, seconds=seconds) as lease:
        record_outcome(self, job, attempt(job, lease))


def attempt(job: Job, lease: Lease) -> Outcome | None:
    """Return the outcome of the attempt; None if this worker has lost the job."""
    try:
        result = call_provider(job, lease)
        # Also after the lease is lost: the reference must be stored.
        if isinstance(result, Started):
            return Wait(result.check_in, result.ref)
        lease.check()
        match result:
            case _ if lease.is_cancel_requested:
                return Fail("canceled", "You canceled this.")
            case Done(outputs):
                return Complete(results.save(job, outputs))
            case Pending(check_in, progress):
                if progress is not None:
                    lease.renew(progress)
                return Wait(check_in)
    except LeaseLost:
        return None
    # This except is broad on purpose: after any error the job needs an outcome.
    except Exception as error:
        ending = outcome.after(error, job)
        log_failure(job, error, ending)
        return ending


def log_failure(job: Job, error: Exception, ending: Outcome) -> None:
    """Log the error without the job's input, which provider errors and tracebacks can contain."""
    facts = {"code": getattr(ending, "code", None), "error": redacted(logs.describe(error), job)}
    is_bug = isinstance(ending, Fail) and ending.code == "internal"
    if is_bug:
        facts["exception"] = redacted("".join(traceback.format_exception(error)), job)
    log.log(logging.ERROR if is_bug else logging.WARNING, "attempt.failed", extra=job.facts | facts)


def call_provider(job: Job, lease: Lease) -> Done | Started | Pending:
    # The prediction is canceled at the provider after the job has ended.
    if job.is_cancel_requested:
        raise Permanent("canceled", "You canceled this.")
    provider = providers.named(job.provider)
    if job.provider_ref is None:
        return submission.begin(provider, job, lease)
    return provider.check(job, job.provider_ref)


def record_outcome(task: "Task[[str], None]", job: Job, ending: Outcome | None) -> None:
    """Store the outcome. If the database is unreachable, retry at least until the deadline.

    The work may have been paid for.
    """
    give_up_at = time.monotonic() + job.seconds_left
    tries = 0
    while True:
        try:
            won = ending is not None and write(task, job, ending)
            break
        except store.DATABASE_ERRORS as error:
            tries += 1
            log.warning("attempt.not_written", extra=job.facts | {"error": logs.describe(error)})
            if time.monotonic() > give_up_at:
                return
            time.sleep(outcome.backoff(tries) / 4)
    if won and isinstance(ending, Complete | Fail):
        push.job_ended(job, has_succeeded=isinstance(ending, Complete))
    log.info("attempt.ended" if won else "attempt.lost", extra=job.facts | {"outcome": type(ending).__name__})
    # This worker lost the job, so discard the files that it stored. For a failed job, fail_job
    # removes the stored files.
    if isinstance(ending, Complete) and not won:
        background.attempt(lambda: store.discard_outputs(job), "objects.not_discarded")


def write(task: "Task[[str], None]", job: Job, ending: Outcome) -> bool:
    """Act on an outcome. No other function does.

    Returns False if this worker has lost its lease. Then nothing changes, but the reference of a
    started prediction is kept.
    """
    match ending:
        case Complete(output):
            return store.complete(job, output)
        case Wait(check_in, provider_ref):
            return store.wait_for_provider(job, provider_ref=provider_ref, check_in=check_in)
        case Fail(code, message):
            return store.fail(job, code=code, message=message)
        case Retry():
            return retry(task, job, ending)
        case Release():
            return store.release(job)


def retry(task: "Task[[str], None]", job: Job, again: Retry) -> bool:
    """Make the row due, then send the message.

    If the worker dies in between, the bridge sends the message.
    """
    state = store.retry(
        job, delay=again.delay, code=again.code, message=again.message, costs_attempt=again.costs_attempt
    )
    # Send no message for a rate-limited job, nor after a 429 of the provider: it would bypass the
    # rate limit. These jobs wait in their rows.
    if state == "queued" and again.costs_attempt and again.delay <= outcome.LONGEST_COUNTDOWN:
        log.info("attempt.ended", extra=job.facts | {"outcome": "Retry", "delay": round(again.delay, 1)})
        try:
            raise task.retry(countdown=again.delay, retry=False)
        except Reject:  # Redis did not accept the message; the row becomes due without it
            log.warning("retry.not_sent", extra=job.facts)
    return state != "lost"
