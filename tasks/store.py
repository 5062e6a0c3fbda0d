"""The SQL of a worker: exactly the functions that the role `generation_worker` may execute.

Each write of a worker to the job that it has claimed carries the fence, and returns whether this
worker still had the job.
"""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, partial
from typing import Any, Literal
from uuid import UUID

import psycopg
from psycopg.rows import RowFactory, class_row, tuple_row
from psycopg.types.json import Jsonb
from psycopg_pool import ConnectionPool, PoolClosed, PoolTimeout

import database
import settings
from tasks.together import Together

# The errors of a database that is down, frozen or restarting. Nothing is confirmed then, so the row
# decides later.
DATABASE_ERRORS = (psycopg.OperationalError, psycopg.InternalError, PoolTimeout, PoolClosed)
ROLE: database.Role = "generation_worker"

LeaseState = Literal["renewed", "cancel_requested", "lost"]
RetryState = Literal["queued", "rate_limited", "lost"]


@dataclass(frozen=True, slots=True)
class Job:
    """A claimed job.

    `seconds_left` (to the deadline) and `seconds_since_request` were measured at the claim by the
    clock of the database. `claimed_here_at` is by the clock of this machine.
    """

    id: UUID
    user_id: UUID
    model: str
    provider: str
    provider_model: str | None
    request: str
    input_paths: list[str]
    attempt: int
    max_attempts: int
    fence: int
    provider_ref: str | None
    submitted_at: datetime | None
    claimed_at: datetime
    is_cancel_requested: bool
    seconds_left: float
    seconds_since_request: float = 0.0
    claimed_here_at: float = field(default_factory=time.monotonic, compare=False, repr=False)

    @property
    def provider_input(self) -> dict[str, Any]:
        """The input for the provider, with photos as paths.

        It is decoded here, so that no input can fail the claim itself.
        """
        decoded: dict[str, Any] = json.loads(self.request)
        return decoded

    @property
    def age(self) -> float:
        """The age of the provider's work at this claim, in seconds; 0 if there is none.

        It counts from the first time that the provider was, or was about to be, called in this
        attempt.
        """
        return 0.0 if self.submitted_at is None else (self.claimed_at - self.submitted_at).total_seconds()

    @property
    def waited(self) -> float:
        """Seconds since the user requested the job."""
        return self.seconds_since_request + time.monotonic() - self.claimed_here_at

    @property
    def facts(self) -> dict[str, object]:
        """The facts in each log line about this job."""
        return {"job_id": self.id, "attempt": self.attempt, "fence": self.fence}


@cache
def pool() -> ConnectionPool[database.Connection]:
    """Return the pool of database connections.

    A few connections suffice for any concurrency, since a statement takes milliseconds. They are
    not checked before use, which would cost a round trip each; see `fetch_all`.
    """
    return ConnectionPool(
        settings.load().database("worker"),
        connection_class=database.Connection,
        min_size=1,
        max_size=4,
        timeout=10,
        kwargs=database.options(ROLE),
        configure=partial(database.become, role=ROLE),
        open=True,
    )


def claim(job_id: str, *, lease: float) -> Job | None:
    return claims((job_id, lease))


def claim_jobs(asked: Sequence[tuple[str, float]], waits: bool) -> list[Job | None]:
    """Claim these jobs. If two messages name the same job, only one of them gets it."""
    ids = [UUID(job_id) for job_id, _ in asked]
    lease = max(lease for _, lease in asked)  # all values in a process are equal
    query = "select * from private.claim_jobs(%s, make_interval(secs => %s), %s)"
    found = {job.id: job for job in fetch_all(query, ids, lease, waits, row_factory=class_row(Job))}
    return [found.pop(job_id, None) for job_id in ids]


claims = Together(claim_jobs)


def renew(job: Job, *, lease: float, progress: float | None) -> LeaseState:
    state: LeaseState = fetch_value(
        "select private.renew_lease(%s, %s, make_interval(secs => %s), %s::real)",
        job.id,
        job.fence,
        lease,
        progress,
    )
    return state


def record_submission(job: Job) -> bool:
    """Record the intent to call a provider that charges; call it before the provider.

    Returns False if the provider must not be called, or if the intent was recorded before.
    """
    return bool(fetch_value("select private.record_submission(%s, %s)", job.id, job.fence))


def adopt_orphan(job: Job, candidates: list[str]) -> str | None:
    """Give this job the first of these predictions that no other job owns.

    Returns the reference that the job has afterwards; None if it has none.
    """
    ref: str | None = fetch_value("select private.adopt_orphan(%s, %s, %s)", job.id, job.fence, candidates)
    return ref


def wait_for_provider(job: Job, *, provider_ref: str | None, check_in: float) -> bool:
    return bool(
        fetch_value(
            "select private.wait_for_provider(%s, %s, %s, make_interval(secs => %s))",
            job.id, job.fence, provider_ref, check_in,
        )
    )  # fmt: skip


def retry(job: Job, *, delay: float, code: str, message: str, costs_attempt: bool) -> RetryState:
    state: RetryState = fetch_value(
        "select private.retry_job(%s, %s, make_interval(secs => %s), %s::public.error_code, %s, %s)",
        job.id, job.fence, delay, code, message, costs_attempt,
    )  # fmt: skip
    return state


def complete(job: Job, output: list[dict[str, Any]]) -> bool:
    return completions((job, output)) is not None


def complete_jobs(asked: Sequence[tuple[Job, list[dict[str, Any]]]], waits: bool) -> list[UUID | None]:
    ids = [job.id for job, _ in asked]
    fences, outputs = [job.fence for job, _ in asked], [Jsonb(output) for _, output in asked]
    query = "select private.complete_jobs(%s, %s::bigint[], %s, %s)"
    completed = fetch_value(query, ids, fences, outputs, waits)
    return [job_id if job_id in completed else None for job_id in ids]


completions = Together(complete_jobs)


def fail(job: Job, *, code: str, message: str) -> bool:
    return bool(
        fetch_value(
            "select private.fail_job(%s, %s, %s::public.error_code, %s)", job.id, job.fence, code, message
        )
    )


def release(job: Job) -> bool:
    """Release the unfinished job, at no attempt. Another worker can claim it at once."""
    return bool(fetch_value("select private.release_job(%s, %s)", job.id, job.fence))


def cancel_by_operator(job_id: UUID) -> bool:
    """Cancel an unfinished job, at no cost. The worker of a running job is requested to stop."""
    return bool(fetch_value("select private.cancel_by_operator(%s)", job_id))


def enabled_models() -> list[tuple[str, str]]:
    """Return id and kind of each model that users may request."""
    return fetch_all("select id, kind from private.enabled_models()")


def record_throttled(provider: str, *, retry_after: float) -> None:
    fetch_value("select private.record_throttled(%s, make_interval(secs => %s))", provider, retry_after)


def record_start(provider: str, *, is_answered: bool, provider_model: str | None = None) -> None:
    fetch_value("select private.record_start(%s, %s, %s)", provider, is_answered, provider_model)


def record_refused_account(provider: str, *, reason: str, provider_model: str | None) -> None:
    fetch_value("select private.record_refused_account(%s, %s, %s)", provider, reason, provider_model)


def provider_cancellations(job_id: str) -> list[tuple[str, str]]:
    """Return provider and reference of each prediction that still runs for an ended job."""
    return fetch_all("select provider, provider_ref from private.provider_cancellations_of(%s)", job_id)


def cancellation_done(provider_ref: str) -> None:
    fetch_value("select private.cancellation_done(%s)", provider_ref)


def discard_outputs(job: Job) -> None:
    """Mark the stored files of a job that this worker lost for removal by the sweepers."""
    fetch_value("select private.discard_outputs(%s, %s)", job.user_id, job.id)


def objects_to_remove(limit: int) -> list[tuple[str, str]]:
    """Return bucket and path of at most `limit` objects whose row is gone."""
    return fetch_all("select bucket, path from private.objects_to_remove(%s)", limit)


def objects_removed(bucket: str, paths: list[str]) -> None:
    fetch_value("select private.objects_removed(%s, %s)", bucket, paths)


def sweep_unreferenced_objects(*, every: float, limit: int) -> int | None:
    """Mark the unreferenced ones of the next `limit` objects for removal. Returns their number.

    Returns None if a worker did this less than `every` seconds ago.
    """
    count: int | None = fetch_value(
        "select private.sweep_unreferenced_objects(make_interval(secs => %s), %s)", every, limit
    )
    return count


def record_process(name: str, *, version: str, problem: str | None, expects_webhooks: bool) -> None:
    """Record that this worker runs, and the server that refuses it."""
    fetch_value(
        "select private.record_process(%s, 'worker', %s, %s, %s)", name, version, problem, expects_webhooks
    )


def devices_of_job(job_id: UUID) -> list[str]:
    """Return the push tokens of the owner of a job that has ended."""
    return [token for (token,) in fetch_all("select private.devices_of_job(%s)", job_id)]


def forget_devices(tokens: list[str]) -> None:
    fetch_value("select private.forget_devices(%s)", tokens)


def fetch_value(query: str, *values: object) -> Any:
    """Return the value of a query for one value."""
    ((value,),) = fetch_all(query, *values)
    return value


def fetch_all(query: str, *values: object, row_factory: RowFactory[Any] = tuple_row) -> list[Any]:
    """Return the rows of a query.

    A connection that broke while it was idle fails when it is used; then the query is repeated on
    another one. The repetition is safe: a claim or a submission whose reply was lost is refused the
    second time, and every other function returns the same as before.
    """
    give_up_at = time.monotonic() + 1
    while True:
        try:
            with pool().connection() as conn, conn.cursor(row_factory=row_factory) as cursor:
                return cursor.execute(query.encode(), values).fetchall()
        except psycopg.OperationalError as error:
            is_broken = error.sqlstate is None or error.sqlstate.startswith("57P")
            if not is_broken or time.monotonic() > give_up_at:
                raise
