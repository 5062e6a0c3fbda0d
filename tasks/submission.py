"""Start a provider that charges only once per attempt.

A worker records its intent, calls the provider, and then stores the reference. A worker that finds
an intent without a reference looks for the orphan before it starts anything again.
"""

import logging
from collections.abc import Callable
from contextlib import suppress

import logs
from tasks import providers, store
from tasks.lease import Lease
from tasks.providers.protocol import (
    BUSY,
    Done,
    OutOfService,
    Pending,
    Permanent,
    Provider,
    Rejected,
    Started,
    Throttled,
    Transient,
    Unanswered,
    Unreachable,
)
from tasks.providers.redaction import redacted
from tasks.store import Job

log = logging.getLogger("tasks")

# Seconds. A start ends within 30 s. A prediction that is not in the list after 90 s was never made.
SHOWN_WITHIN = 90.0


def begin(provider: Provider, job: Job, lease: Lease) -> Done | Started | Pending:
    if not provider.charges:
        return provider.start(job)
    if job.submitted_at is not None:
        return collect_orphan(provider, job)
    try:
        is_recorded = store.record_submission(job)
    except store.DATABASE_ERRORS as error:
        raise Unanswered("the database was away") from error
    if not is_recorded:
        lease.renew()
    lease.check()  # a process that was frozen after its claim must not pay now
    if lease.is_cancel_requested:
        raise Permanent("canceled", "You canceled this.")
    # This worker has the lease, so the first reply of a repeated call was lost.
    if not is_recorded:
        raise Unanswered("the intent was there already")
    return start(provider, job)


def start(provider: Provider, job: Job) -> Done | Started:
    try:
        started = provider.start(job)
    except Throttled as error:
        record(store.record_throttled, job.provider, retry_after=error.retry_after or 0.0)
        raise
    except OutOfService as error:
        pause(job, error)
        raise
    except (Unanswered, Unreachable):
        record(store.record_start, job.provider, is_answered=False)
        raise
    except (Transient, Rejected):
        record(store.record_start, job.provider, is_answered=True, provider_model=job.provider_model)
        raise
    record(store.record_start, job.provider, is_answered=True, provider_model=job.provider_model)
    return started


def pause(job: Job, error: OutOfService) -> None:
    reason = logs.shortened(redacted(error.reason, job))
    model = job.provider_model if error.is_model_gone else None
    facts = {"provider": job.provider, "provider_model": job.provider_model, "reason": reason}
    log.error("provider.refused_account", extra=job.facts | facts)
    record(store.record_refused_account, job.provider, reason=reason, provider_model=model)


def collect_orphan(provider: Provider, job: Job) -> Done | Pending:
    candidates = provider.find(job)
    try:
        ref = store.adopt_orphan(job, candidates)
    except store.DATABASE_ERRORS as error:
        raise Unanswered("the database was away") from error
    if ref is not None:
        log.info("orphan.adopted", extra=job.facts | {"provider_ref": ref})
        return provider.check(job, ref)
    if (left := SHOWN_WITHIN - job.age) > 0:
        raise Unanswered("not in the provider's list yet", retry_after=min(max(5.0, job.age / 2), left + 1))
    log.warning("orphan.not_found", extra=job.facts)
    raise Transient(*BUSY, retry_after=0.0)


def run_provider_cancellations(job_id: str) -> None:
    """Cancel the predictions of a job that has ended or is gone.

    For a failed cancellation, the bridge sends the job again.
    """
    for name, ref in store.provider_cancellations(job_id):
        facts = {"job_id": job_id, "provider_ref": ref}
        try:
            providers.named(name).cancel(ref)
        except (Unanswered, Permanent) as error:
            log.warning("prediction.not_canceled", extra=facts | {"error": logs.describe(error)})
            continue
        store.cancellation_done(ref)
        log.info("prediction.canceled", extra=facts)


def record(tell: Callable[..., None], *facts: str, **more: object) -> None:
    """Record a fact for all workers in the database, and ignore its errors.

    A lost fact costs little, but an error here would lose the work that was just started.
    """
    with suppress(*store.DATABASE_ERRORS):
        tell(*facts, **more)
