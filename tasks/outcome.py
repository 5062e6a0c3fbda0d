"""Decide the outcome of an attempt, without a clock or a database. `tasks.generate` acts on it."""

import random
from dataclasses import dataclass
from typing import Any

from celery.utils.time import get_exponential_backoff_interval

from tasks.providers.protocol import Permanent, Transient, Unanswered
from tasks.storage import NotStored
from tasks.store import DATABASE_ERRORS, Job

FIRST_BACKOFF, LONGEST_BACKOFF = 2, 120  # seconds
# Seconds. A retry with a longer delay gets no message and waits in its row: Celery would keep the
# message in the memory of a worker.
LONGEST_COUNTDOWN = 300.0


@dataclass(frozen=True, slots=True)
class Complete:
    output: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Wait:
    check_in: float
    # The reference of work that was just started; None keeps the one in the row.
    provider_ref: str | None = None


@dataclass(frozen=True, slots=True)
class Retry:
    delay: float
    code: str
    message: str
    costs_attempt: bool = True


@dataclass(frozen=True, slots=True)
class Fail:
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Release:
    """This worker could not continue. The row shows whether the provider may have the work."""


Outcome = Complete | Wait | Retry | Fail | Release


def after(error: Exception, job: Job) -> Retry | Wait | Fail | Release:
    """Return the outcome of an attempt that raised this error.

    The provider's `retry_after` replaces our backoff. No retry that costs an attempt exceeds
    `max_attempts`. Work that the provider still has is fetched again and never started again. A bug
    of ours is permanent: a retry would only cost the user time.
    """
    match error:
        case Unanswered():
            return Wait(error.retry_after or next_look(job))
        case NotStored() if job.submitted_at is not None:
            return Wait(next_look(job))
        case NotStored():
            return after(Transient("internal", "Something went wrong on our side."), job)
        case Transient() if job.attempt < job.max_attempts or not error.costs_attempt:
            delay = backoff(job.attempt) if error.retry_after is None else error.retry_after
            return Retry(delay, error.code, error.message, error.costs_attempt)
        case Transient() | Permanent():
            return Fail(error.code, error.message)
        case _ if isinstance(error, DATABASE_ERRORS):
            return Release()
        case _:
            return Fail("internal", "Something went wrong on our side.")


def next_look(job: Job) -> float:
    """Return the seconds until the provider is polled again for work of that age.

    A webhook arrives sooner.
    """
    return min(60.0, max(5.0, job.age / 2)) * random.uniform(0.9, 1.1)  # noqa: S311


def backoff(attempt: int) -> float:
    """Return Celery's exponential backoff with full jitter, in seconds. `attempt` counts from 1."""
    return float(
        get_exponential_backoff_interval(FIRST_BACKOFF, min(attempt, 10), LONGEST_BACKOFF, full_jitter=True)
    )
