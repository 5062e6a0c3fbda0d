"""Replicate: predictions are created, waited for without a worker slot, and collected before they expire.

Its create has no idempotency key, so an answer that did not come means "perhaps". A seed made from the job's id, where
the model takes one, makes every job's input unlike any other and its prediction recognisable in the list.
"""

import io
import logging
import math
import random
import re
from datetime import datetime, timedelta
from functools import cache
from typing import Any, NoReturn
from urllib.parse import urlencode

import httpx
from replicate.client import Client
from replicate.prediction import Prediction

import settings
from settings import Settings
from tasks import inputs, storage
from tasks.providers import outputs
from tasks.providers.protocol import (
    BUSY,
    Done,
    Pending,
    Permanent,
    Rejected,
    Started,
    Throttled,
    Transient,
    Unanswered,
    Unreachable,
)
from tasks.providers.replicate_transport import ANSWER_WITHIN, Refused, Transport
from tasks.store import Job

log = logging.getLogger("tasks")

OUTPUT_ORIGINS = ["https://*.replicate.delivery"]
TOO_LATE = 10.0  # seconds before its deadline a job is no longer worth paying for
SKEW = timedelta(seconds=10)  # between the database's clock and Replicate's
MAX_PAGES = 30
MAX_PHOTO = 52_428_800  # bytes, as our buckets take
LONGEST_CHECK_IN = 300.0

NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
NO_ANSWER = (httpx.HTTPError, ValueError)  # a ValueError is an answer that makes no sense

REJECTED_CONTENT = re.compile(r"nsfw|flagged|sensitive|safety|moderat|content policy|\bE005\b", re.I)
PASSING_TROUBLE = re.compile(
    r"please retry|interrupted|unavailable|overloaded|high demand|capacity|timed? ?out|\bE1000\b|\bE6716\b",
    re.I,
)


@cache
def replicate() -> "Replicate":
    return Replicate(settings.load())


class Replicate:
    charges = True

    def __init__(self, config: Settings) -> None:
        self.config = config
        self.transport = Transport()
        self.origins = OUTPUT_ORIGINS
        if not config.replicate_base_url.endswith("//api.replicate.com"):
            self.origins = [*OUTPUT_ORIGINS, config.replicate_base_url]

    def start(self, job: Job) -> Started:
        target = target_of(job)
        if job.seconds_left < TOO_LATE:
            raise Permanent("timed_out", "This took too long.")
        given = inputs.of(job, None if self.config.has_public_storage else self.uploaded)
        # An orphan that is never found costs no more than this.
        client = self.client({"Cancel-After": f"{math.ceil(job.seconds_left)}s"})
        try:
            prediction = client.predictions.create(**target, input=given, **self.webhook(job))  # type: ignore[call-overload]
        except Refused as error:
            refuse(error)
        except NEVER_SENT as error:
            raise Unreachable from error
        except NO_ANSWER as error:
            raise Unanswered(repr(error)) from error
        return Started(prediction.id, self.check_in(job))

    def find(self, job: Job) -> list[str]:
        assert job.submitted_at is not None  # noqa: S101
        since, until = job.submitted_at - SKEW, job.submitted_at + timedelta(seconds=ANSWER_WITHIN) + SKEW
        window = {"created_after": since.isoformat(), "created_before": until.isoformat()}
        cursor = f"/v1/predictions?{urlencode(window)}"
        found: list[Prediction] = []
        try:
            for _ in range(MAX_PAGES):
                page = self.client().predictions.list(cursor)
                found += [prediction for prediction in page if is_for(job, prediction, since, until)]
                # Newest first, whether or not the window was heeded.
                if page.next is None or (page.results and created_at(page[-1]) < since):
                    return [prediction.id for prediction in reversed(found)]
                cursor = page.next
        except Refused as error:
            wait_for(error)
        except NO_ANSWER as error:
            raise Unanswered(repr(error)) from error
        raise Unanswered("the list of predictions does not end")

    def check(self, job: Job, ref: str) -> Done | Pending:
        try:
            prediction = self.client().predictions.get(ref)
        except Refused as error:
            wait_for(error)
        except NO_ANSWER as error:
            raise Unanswered(repr(error)) from error
        match prediction.status:
            case "succeeded":
                return Done(outputs.found_in(prediction.output, origins=self.origins, facts=job.facts))
            case "failed":
                raise failure(prediction.error or "")
            case "canceled" if prediction.started_at is None:
                raise Permanent("timed_out", "It did not begin in time. Please try again.")
            case "canceled":
                raise Permanent("provider_rejected", "The service stopped working on this.")
        progress = prediction.progress
        return Pending(self.check_in(job), min(1.0, progress.percentage) if progress else None)

    def cancel(self, ref: str) -> None:
        try:
            self.client().predictions.cancel(ref)
        except Refused as error:
            if error.status in (401, 402, 403, 408, 429) or error.status >= 500:
                wait_for(error)
            # Otherwise there is nothing to cancel any more.
        except NO_ANSWER as error:
            raise Unanswered(repr(error)) from error

    def client(self, headers: dict[str, str] | None = None) -> Client:
        """Costs next to nothing: the connections are the transport's, which all share."""
        token = self.config.replicate_api_token
        if token is None:
            log.error("provider.no_token", extra={"provider": "replicate"})
            raise Permanent("provider_unavailable", "This model is not available.")
        return Client(
            token.get_secret_value(),
            base_url=self.config.replicate_base_url,
            headers=headers or {},
            transport=self.transport,
        )

    def uploaded(self, job: Job, path: str) -> str:
        """The photo as a file at Replicate, which cannot fetch it from a Storage without a public address."""
        file = io.BytesIO(storage.head(inputs.bucket_of(path), path, MAX_PHOTO))
        try:
            return self.client().files.create(file, filename=path.rpartition("/")[2]).urls["get"]
        except Refused as error:
            alarm(error)
            raise Transient(*BUSY, retry_after=error.retry_after, costs_attempt=False) from error
        except NO_ANSWER as error:
            raise Transient(*BUSY) from error

    def webhook(self, job: Job) -> dict[str, Any]:
        url = self.config.webhook_url
        if url is None:
            return {}
        return {"webhook": f"{url}?job={job.id}", "webhook_events_filter": ["start", "completed"]}

    def check_in(self, job: Job) -> float:
        """Ever longer. With a webhook, looks are for lost ones: Replicate repeats it for a minute, then gives up.

        Looking is not free either: all predictions of an account share 50 questions a second.
        """
        seconds = max(2.0, job.age / 2) if self.config.webhook_url is None else max(60.0, job.age)
        return min(LONGEST_CHECK_IN, seconds) * random.uniform(0.9, 1.1)  # noqa: S311


def target_of(job: Job) -> dict[str, str]:
    """`owner/name` is a model that Replicate keeps running, `owner/name:version` any other."""
    name, _, version = (job.provider_model or "").partition(":")
    if version:
        return {"version": version}
    if name.count("/") != 1:
        log.error("model.misconfigured", extra={"model": job.model, "provider_model": job.provider_model})
        raise Permanent("internal", "This model is not available.")
    return {"model": name}


def is_for(job: Job, prediction: Prediction, since: datetime, until: datetime) -> bool:
    """Whether it was made at that time, by that model, from this job's input."""
    name, _, version = (job.provider_model or "").partition(":")
    made_from = prediction.input or {}
    return (
        since <= created_at(prediction) <= until
        and prediction.model in ("", name)
        and (not version or prediction.version in ("", version))
        and all(
            inputs.is_same(value, made_from.get(name, ...), job.input_paths)
            for name, value in job.provider_input.items()
        )
    )


def created_at(prediction: Prediction) -> datetime:
    return datetime.fromisoformat(prediction.created_at or "")


def failure(error: str) -> Transient | Permanent:
    log.warning("prediction.failed", extra={"detail": error[:500]})
    if REJECTED_CONTENT.search(error):
        return Permanent("content_rejected", "The content was rejected. Please try something else.")
    if PASSING_TROUBLE.search(error):
        return Transient(*BUSY)
    return Permanent("provider_rejected", "The model could not make this.")


def refuse(error: Refused) -> NoReturn:
    """A create that was refused: nothing was begun, except where the server failed and does not know."""
    alarm(error)
    match error.status:
        case 429:
            raise Throttled(error.retry_after or 10.0) from error
        case 400 | 413 | 422:
            raise Rejected("invalid_input", "The model does not take this input.") from error
        case (
            401 | 402 | 403 | 404
        ):  # our account or our configuration: not the user's doing, and no retry helps
            raise Rejected(*BUSY) from error
        case status if status >= 500 or status == 408:
            raise Unanswered(str(error)) from error
    raise Rejected("provider_rejected", "The model could not make this.") from error


def wait_for(error: Refused) -> NoReturn:
    """A question that was refused: what we asked about is as it was."""
    alarm(error)
    raise Unanswered(str(error), retry_after=error.retry_after) from error


def alarm(error: Refused) -> None:
    """Operators watch for provider.refused_account: no credit, a wrong token, a model that is not there."""
    is_ours = error.status in (401, 402, 403, 404)
    log.log(
        logging.ERROR if is_ours else logging.WARNING,
        "provider.refused_account" if is_ours else "provider.refused",
        extra={"provider": "replicate", "status": error.status, "detail": error.detail},
    )
