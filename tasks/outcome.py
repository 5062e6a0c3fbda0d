"""Decide how an attempt ended, without clock and database.

`tasks.generate` acts on the decision.
"""

import random
from dataclasses import dataclass
from typing import Any

from celery.utils.time import get_exponential_backoff_interval

from tasks.providers.protocol import Permanent, Transient, Unanswered
from tasks.storage import NotStored
from tasks.store import DATABASE_ERRORS, Job

FIRST_BACKOFF, LONGEST_BACKOFF = 2, 120  # seconds
# Seconds. A later retry stands in its row alone: Celery would keep its message in a worker's
# memory.
LONGEST_COUNTDOWN = 300.0


@dataclass(frozen=True, slots=True)
class Complete:
    output: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Wait:
    check_in: float
    provider_ref: str | None = None  # of what was just started; None leaves what the row knows


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
    """We could not go on. The row says whether the provider may have the work."""


Outcome = Complete | Wait | Retry | Fail | Release


def after(error: Exception, job: Job) -> Retry | Wait | Fail | Release:
    """A provider's own `retry_after` wins over our backoff, but nothing wins over max_attempts.

    Work that the provider still has is collected again, never ordered again. A bug of ours is
    permanent: retrying it would only spend the user's time.
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
    """Seconds until the provider is asked again about work of that age; a webhook comes sooner."""
    return min(60.0, max(5.0, job.age / 2)) * random.uniform(0.9, 1.1)  # noqa: S311


def backoff(attempt: int) -> float:
    """Celery's exponential backoff with full jitter, in seconds; attempts are numbered from 1."""
    return float(
        get_exponential_backoff_interval(FIRST_BACKOFF, min(attempt, 10), LONGEST_BACKOFF, full_jitter=True)
    )
