"""Cancel the job of a task that an operator revokes in Flower.

Otherwise the bridge would send its message again and again.
"""

import logging
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

from celery.signals import task_revoked

from tasks import background, store

log = logging.getLogger("tasks")

# The consumer's thread must not wait for the database. If the database is unreachable, the next
# message of the job repeats the cancellation.
CANCELER = ThreadPoolExecutor(1, thread_name_prefix="revoke")


@task_revoked.connect
def revoked(request: Any, expired: bool = False, **_: object) -> None:
    if expired:  # Celery sends this signal for an expired message, too
        return
    try:
        job_id = UUID(str(request.id))
    except ValueError:
        return  # not the id of a job
    CANCELER.submit(background.attempt, lambda: cancel(job_id), "job.not_canceled")


def cancel(job_id: UUID) -> None:
    if store.cancel_by_operator(job_id):
        log.info("job.canceled_by_operator", extra={"job_id": job_id})
