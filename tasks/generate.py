"""The one task: run one attempt of one job and write down how it ended."""

import logging
import time
from contextlib import suppress

from celery import Task
from celery.exceptions import Reject

import settings
from tasks import lease, outcome, providers, storage, store, submission
from tasks.celery import app
from tasks.lease import Lease, LeaseLost
from tasks.outcome import Complete, Fail, Outcome, Release, Retry, Wait
from tasks.providers.protocol import Done, Pending, Permanent, Started
from tasks.store import Job
from tasks.worker import sweeper

log = logging.getLogger("tasks")


@app.task(name=settings.TASK_NAME, bind=True, max_retries=None)  # the row counts attempts
def generate(self: "Task[[str], None]", job_id: str) -> None:
    """Safe to deliver twice: `store.claim` lets one delivery through, the rest return."""
    seconds = settings.load().lease_seconds
    try:
        job = store.claim(job_id, lease=seconds)
    except store.DATABASE_ERRORS as error:  # its message is gone; the bridge finds that and sends another
        log.warning("job.not_claimed", extra={"job_id": job_id, "error": repr(error)})
        return
    if job is None:
        log.info("job.not_claimable", extra={"job_id": job_id})
        with suppress(*store.DATABASE_ERRORS):  # the bridge sends again
            submission.run_provider_cancellations(job_id)
        return
    log.info("job.claimed", extra=job.facts)
    with lease.keeper().hold(job, seconds=seconds) as held:
        settle(self, job, attempt(job, held))


def attempt(job: Job, held: Lease) -> Outcome | None:
    """How it ended; None if somebody else has the job now."""
    try:
        result = ask(job, held)
        if isinstance(
            result, Started
        ):  # also for a job that is another's by now: the reference must not be lost
            return Wait(result.check_in, result.ref)
        held.check()
        match result:
            case _ if held.is_cancel_requested:
                return Fail("canceled", "You canceled this.")
            case Done(outputs):
                return Complete(storage.save(job, outputs))
            case Pending(check_in, progress):
                if progress is not None:
                    held.renew(progress)
                return Wait(check_in)
    except LeaseLost:
        return None
    # The one broad except: whatever happened, the job must go on from here.
    except Exception as error:
        ending = outcome.after(error, job)
        is_bug = isinstance(ending, Fail) and ending.code == "internal"
        log.log(
            logging.ERROR if is_bug else logging.WARNING,
            "attempt.failed",
            extra=job.facts | {"error": repr(error)},
            exc_info=is_bug,
        )
        return ending


def ask(job: Job, held: Lease) -> Done | Started | Pending:
    if job.is_cancel_requested:  # what the provider does for it is canceled when the job has ended
        raise Permanent("canceled", "You canceled this.")
    provider = providers.named(job.provider)
    if job.provider_ref is None:
        return submission.begin(provider, job, held)
    return provider.check(job, job.provider_ref)


def settle(task: "Task[[str], None]", job: Job, ending: Outcome | None) -> None:
    """Write the outcome down, however long the database is away: the work is done and may have been paid for."""
    give_up_at = time.monotonic() + job.seconds_left
    tries = 0
    while True:
        try:
            won = ending is not None and write(task, job, ending)
            break
        except store.DATABASE_ERRORS as error:
            tries += 1
            log.warning("attempt.not_written", extra=job.facts | {"error": repr(error)})
            if time.monotonic() > give_up_at:
                return
            time.sleep(outcome.backoff(tries) / 4)
    log.info("attempt.ended" if won else "attempt.lost", extra=job.facts | {"outcome": type(ending).__name__})
    if isinstance(ending, Complete) and not won:
        sweeper.remove_unreferenced_objects_of(job)


def write(task: "Task[[str], None]", job: Job, ending: Outcome) -> bool:
    """The only place that acts on an outcome. Whoever lost the lease changes nothing and is told so."""
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
    """The row is made due before the message is sent: if we die in between, the bridge finds a due job."""
    state = store.retry(
        job, delay=again.delay, code=again.code, message=again.message, costs_attempt=again.costs_attempt
    )
    # Room at the provider is given to rows alone: to those its limit holds, and to what was refused for lack of it.
    if state == "queued" and again.costs_attempt and again.delay <= outcome.LONGEST_COUNTDOWN:
        log.info("attempt.ended", extra=job.facts | {"outcome": "Retry", "delay": round(again.delay, 1)})
        try:
            raise task.retry(countdown=again.delay, retry=False)
        except Reject:  # Redis did not take the message; the row is due in time without it
            log.warning("retry.not_sent", extra=job.facts)
    return state != "lost"
