"""Notify a user's devices that a long job has ended, through Expo's push service.

A push is best-effort: a separate thread sends it once, after the commit. A failure of the service
does not change the job. A job sends at most one push, since only one claim ends it. A worker that
dies sends none.
"""

import asyncio
import json
import logging
from queue import Full, Queue
from uuid import UUID

import httpx
from celery.signals import worker_ready

import logs
import settings
from tasks import background, store
from tasks.store import Job

log = logging.getLogger("tasks")

PUSH_WITHIN = 10.0  # seconds for a whole request; the service needs less than one second
MAX_TICKETS_BYTES = 65_536  # five tickets have fewer than 2,000 bytes
TITLES = {True: "Your generation is ready.", False: "Your generation failed."}

# While the service hangs, pushes wait here. If the queue is full, new ones are dropped, since they
# would be late.
waiting: Queue[tuple[UUID, bool]] = Queue(maxsize=1000)


class NotPushed(Exception):
    """The service did not accept the request. The text is for the log."""


def job_ended(job: Job, *, has_succeeded: bool) -> None:
    """Queue the push of a job that took long. Call it after the commit; it never blocks."""
    if job.waited < settings.load().push_after_seconds:
        return
    try:
        waiting.put_nowait((job.id, has_succeeded))
    except Full:
        log.warning("push.dropped", extra=job.facts)


def push_next() -> None:
    job_id, has_succeeded = waiting.get()
    # One request for each user: Expo refuses a whole request that has a token of another project.
    if not (tokens := store.devices_of_job(job_id)):
        return
    title, data = TITLES[has_succeeded], {"job": str(job_id)}
    try:
        tickets = send([{"to": token, "title": title, "data": data} for token in tokens])
    except (httpx.HTTPError, NotPushed) as error:
        log.warning("push.not_sent", extra={"job_id": job_id, "error": logs.describe(error)})
        return
    errors = [error_of(ticket) for ticket in tickets]
    gone = [token for token, error in zip(tokens, errors, strict=False) if error == "DeviceNotRegistered"]
    if gone:
        store.forget_devices(gone)
    others = [error for error in errors if error not in (None, "DeviceNotRegistered")]
    facts = {"job_id": job_id, "devices": len(tokens), "gone": len(gone), "errors": others}
    log.log(logging.WARNING if others else logging.INFO, "push.sent", extra=facts)


def send(messages: list[dict[str, object]]) -> list[object]:
    """Send the messages. Returns the tickets in the same order."""
    try:
        # httpx limits only each single read. A server that drips bytes would never time out.
        status, body = asyncio.run(asyncio.wait_for(post(messages), PUSH_WITHIN))
        answer: dict[str, list[object]] = json.loads(body)
        return list(answer["data"])
    except TimeoutError:
        raise NotPushed("no answer in time") from None
    except (ValueError, TypeError, LookupError):
        raise NotPushed(f"answered {status} without tickets") from None


async def post(messages: list[dict[str, object]]) -> tuple[int, bytes]:
    url = settings.load().expo_push_url
    async with (
        httpx.AsyncClient(timeout=PUSH_WITHIN) as client,
        client.stream("POST", url, json=messages) as answer,
    ):
        body = b""
        async for piece in answer.aiter_bytes():
            body += piece
            if len(body) > MAX_TICKETS_BYTES:
                raise NotPushed("the answer was too long")
    return answer.status_code, body


def error_of(ticket: object) -> str | None:
    """Return the code of an error ticket, such as DeviceNotRegistered; None for any other one."""
    match ticket:
        case {"status": "error", "details": {"error": str(code)}}:
            return code
        case {"status": "error"}:
            return "unknown"
    return None


@worker_ready.connect
def start(**_: object) -> None:
    background.repeat(push_next, every=0.0, name="push", failure="push.not_sent")
