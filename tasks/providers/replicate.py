"""Replicate: predictions are created, waited for without a worker slot, and collected before they
expire.

Its create has no idempotency key, so an answer that did not come means "perhaps". A seed made from
the job's id, where the model takes one, makes every job's input unlike any other and its prediction
recognisable in the list.
"""

import base64
import hmac
import io
import logging
import math
import random
from datetime import datetime, timedelta
from functools import cache
from typing import Any, NoReturn
from urllib.parse import urlencode

import httpx
from replicate.client import Client
from replicate.prediction import Prediction

import logs
import settings
from settings import Settings
from tasks import inputs, storage
from tasks.providers import errors, outputs
from tasks.providers.protocol import (
    Done,
    Pending,
    Permanent,
    Started,
    Throttled,
    Transient,
    Unanswered,
    Unreachable,
)
from tasks.providers.redaction import redacted
from tasks.providers.replicate_transport import REPLICATE_ANSWER_WITHIN, Refused, Transport
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


class PredictionFailed(Exception):
    """The error text of Replicate, for the log."""


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
        try:
            # An orphan that is never found costs no more than this.
            client = self.client({"Cancel-After": f"{math.ceil(job.seconds_left)}s"})
            prediction = client.predictions.create(**target, input=given, **self.webhook(job))  # type: ignore[call-overload]
        except Refused as error:
            refuse(error, job)
        except NEVER_SENT as error:
            raise Unreachable from error
        except NO_ANSWER as error:
            raise Unanswered("no answer") from error
        return Started(prediction.id, self.check_in(job))

    def find(self, job: Job) -> list[str]:
        assert job.submitted_at is not None  # noqa: S101
        since, until = (
            job.submitted_at - SKEW,
            job.submitted_at + timedelta(seconds=REPLICATE_ANSWER_WITHIN) + SKEW,
        )
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
            raise Unanswered("no answer") from error
        raise Unanswered("the list of predictions does not end")

    def check(self, job: Job, ref: str) -> Done | Pending:
        try:
            prediction = self.client().predictions.get(ref)
        except Refused as error:
            wait_for(error)
        except NO_ANSWER as error:
            raise Unanswered("no answer") from error
        match prediction.status:
            case "succeeded":
                return Done(outputs.found_in(prediction.output, origins=self.origins, facts=job.facts))
            case "failed":
                raise failure(prediction.error or "", job)
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
            raise Unanswered("no answer") from error

    def client(self, headers: dict[str, str] | None = None) -> Client:
        """Costs next to nothing: the connections are the transport's, which all share."""
        token = self.config.replicate_api_token
        if token is None:
            raise Refused(401, "REPLICATE_API_TOKEN is not set")
        return Client(
            token.get_secret_value(),
            base_url=self.config.replicate_base_url,
            headers=headers or {},
            transport=self.transport,
        )

    def uploaded(self, job: Job, path: str) -> str:
        """Upload the photo to Replicate, which cannot fetch it from a Storage without a public
        address.
        """
        file = io.BytesIO(storage.head(inputs.bucket_of(path), path, MAX_PHOTO))
        try:
            return self.client().files.create(file, filename=path.rpartition("/")[2]).urls["get"]
        except Refused as error:
            refuse_upload(error)
        except NO_ANSWER as error:
            raise Unreachable from error

    def webhook(self, job: Job) -> dict[str, Any]:
        url = self.config.webhook_url
        if url is None:
            return {}
        address = f"{url}?{urlencode({'job': job.id} | self.webhook_token(job))}"
        return {"webhook": address, "webhook_events_filter": ["start", "completed"]}

    def webhook_token(self, job: Job) -> dict[str, str]:
        """The token in the webhook's address. Only worker and Edge Function have its key."""
        key = self.config.supabase_secret_key
        if key is None:
            return {}
        digest = hmac.digest(key.get_secret_value().encode(), f"provider_webhook:{job.id}".encode(), "sha256")
        return {"token": base64.urlsafe_b64encode(digest).decode().rstrip("=")}

    def check_in(self, job: Job) -> float:
        """Ever longer. With webhooks, a look finds lost ones: Replicate repeats one for a minute.

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


def failure(said: str, job: Job) -> Transient | Permanent:
    said = redacted(said, job)
    if errors.meaning_of(said) == "account":
        alarm(said)  # the account that the model itself has at a vendor
    trouble = errors.failure(said)
    trouble.__cause__ = PredictionFailed(said)
    return trouble


def refuse(error: Refused, job: Job) -> NoReturn:
    """Translate a refused create: nothing was begun, except perhaps after a server error."""
    error.detail = redacted(error.detail, job)
    if error.status == 429:
        raise Throttled(error.retry_after or 10.0) from error
    if error.status >= 500 or error.status == 408:
        raise Unanswered("no answer") from error
    raise errors.refusal(error.status, error.detail, error.fields) from error


def refuse_upload(error: Refused) -> NoReturn:
    """A photo that was refused: no prediction was begun. The API's account is that of a create."""
    if error.status in (401, 402, 403):
        raise errors.refusal(error.status, error.detail, []) from error
    if error.status == 429:
        raise Throttled(error.retry_after or 10.0) from error
    raise Unreachable from error


def wait_for(error: Refused) -> NoReturn:
    """A question that was refused: what we asked about is as it was."""
    if error.status in (401, 402, 403):
        alarm(str(error))
    raise Unanswered("no answer", retry_after=error.retry_after) from error


def alarm(reason: str) -> None:
    log.error("provider.refused_account", extra={"provider": "replicate", "reason": logs.shortened(reason)})
