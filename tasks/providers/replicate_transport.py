"""The HTTP transport below the replicate package: it owns time-outs and retries.

The package gives its create no time-out, sleeps for any Retry-After, and cannot read every
prediction that the API describes. Here every request is sent once and ends in a bounded time: with
an answer that the package can read, or with Refused.
"""

import json
import re
import time
from collections.abc import Sequence
from typing import Any

import httpx

REPLICATE_TIMEOUT = {"connect": 5.0, "write": 10.0, "read": 20.0, "pool": 5.0}
REPLICATE_ANSWER_WITHIN = (
    30.0  # seconds for a whole answer; REPLICATE_TIMEOUT["read"] bounds each pause in it
)
MAX_ANSWER_BYTES = 32_000_000  # predictions may carry their outputs inline

# The package refuses a prediction as a whole if it cannot read a part: the reference would be lost.
STATUSES = {"starting", "processing", "succeeded", "failed", "canceled"}
ENDED_UNSTARTED = "aborted"


class Refused(Exception):
    """The API answered with something other than success.

    `retry_after` is its wish in seconds, from the header or from the text that Replicate puts it
    into. `fields` are what it names as invalid, such as `input.seed`.
    """

    def __init__(
        self, status: int, detail: str, retry_after: float | None = None, fields: Sequence[str] = ()
    ) -> None:
        super().__init__(status, detail)
        self.status, self.detail, self.retry_after, self.fields = status, detail, retry_after, fields

    def __str__(self) -> str:
        return f"{self.status}: {self.detail}"


class Transport(httpx.BaseTransport):
    def __init__(self) -> None:
        self.wrapped = httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        until = time.monotonic() + REPLICATE_ANSWER_WITHIN
        request.extensions["timeout"] = dict(REPLICATE_TIMEOUT)
        response = self.wrapped.handle_request(request)
        try:
            answer = httpx.Response(
                response.status_code, headers=response.headers, content=read(response, request, until)
            )
        finally:
            response.close()
        if not answer.is_success:
            # Raised and not returned: the package would sleep over a 429 and send some requests
            # again.
            raise Refused(answer.status_code, detail_of(answer), retry_after_of(answer), fields_of(answer))
        try:
            # In ASCII: httpx could not encode a lone surrogate or NaN, which models may send.
            content = json.dumps(readable(answer.json())).encode()
            headers = {"content-type": "application/json"}
            return httpx.Response(answer.status_code, content=content, headers=headers, request=request)
        except ValueError as error:
            raise httpx.RemoteProtocolError("the answer is not JSON", request=request) from error

    def close(self) -> None:
        self.wrapped.close()


def read(response: httpx.Response, request: httpx.Request, until: float) -> bytes:
    content = bytearray()
    # a synchronous transport's is
    assert isinstance(response.stream, httpx.SyncByteStream)  # noqa: S101
    for chunk in response.stream:
        content += chunk
        if time.monotonic() > until or len(content) > MAX_ANSWER_BYTES:
            raise httpx.ReadTimeout("the answer does not end", request=request)
    return bytes(content)


def detail_of(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["detail"])
    except (ValueError, TypeError, KeyError):
        return answer.text


def fields_of(answer: httpx.Response) -> list[str]:
    try:
        return [each["field"] for each in answer.json()["invalid_fields"] if isinstance(each["field"], str)]
    except (ValueError, TypeError, KeyError):
        return []


def retry_after_of(answer: httpx.Response) -> float | None:
    header = answer.headers.get("retry-after", "")
    if re.fullmatch(r"\d{1,6}(\.\d+)?", header):
        return float(header)
    text = re.search(r"resets in ~?(\d{1,6})s", answer.text)
    return float(text[1]) if text else None


def readable(answer: Any) -> Any:
    """The same answer; of every prediction in it what we use, as the package expects it."""
    if isinstance(answer, dict) and isinstance(answer.get("results"), list):
        return {"next": answer.get("next"), "results": [readable(each) for each in answer["results"]]}
    if not isinstance(answer, dict) or "status" not in answer:
        return answer
    status, error = answer["status"], answer.get("error")
    is_unstarted = status == ENDED_UNSTARTED  # still told from a canceled one: it has no started_at
    return {
        "id": answer.get("id"),
        "model": answer.get("model") or "",
        "version": answer.get("version") or "",
        # A status of tomorrow is one to look at again; the job's deadline bounds that.
        "status": "canceled" if is_unstarted else status if status in STATUSES else "processing",
        "error": error if error is None or isinstance(error, str) else json.dumps(error),
        "input": answer["input"] if isinstance(answer.get("input"), dict) else None,
        "output": answer.get("output"),
        "logs": answer["logs"] if isinstance(answer.get("logs"), str) else None,
        "created_at": answer.get("created_at"),
        "started_at": None if is_unstarted else answer.get("started_at"),
    }
