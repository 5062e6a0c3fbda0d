"""One bounded HTTP request; no redirect is followed, since it would take a key along."""

import json
import time
from collections.abc import Mapping
from typing import Any, NoReturn

import httpx

import logs

WEB_ANSWER_WITHIN = 30.0  # seconds for the whole answer
NO_ANSWER = (httpx.HTTPError, httpx.InvalidURL)
MAX_WEB_ANSWER_BYTES = 8_000_000  # a model's schema and example have a few kilobytes


def ask(
    method: str, url: str, headers: Mapping[str, str] | None = None, content: bytes | None = None
) -> tuple[int, bytes]:
    """Status and body. Raises one of NO_ANSWER."""
    until, body = time.monotonic() + WEB_ANSWER_WITHIN, bytearray()
    try:
        connections = httpx.Client(timeout=10, follow_redirects=False)
    except (OSError, ValueError) as error:  # httpx reads them as it begins
        reason = f"{logs.describe(error)}; look at SSL_CERT_FILE and at the proxies of the environment"
        raise httpx.ConnectError(reason) from None
    with (
        connections as client,
        client.stream(method, url, headers=dict(headers or {}), content=content) as answer,
    ):
        for chunk in answer.iter_bytes():
            body += chunk
            if len(body) > MAX_WEB_ANSWER_BYTES or time.monotonic() > until:
                raise httpx.ReadTimeout("the answer does not end")
        return answer.status_code, bytes(body)


def parsed(body: bytes) -> Any:
    """The value of a JSON body; None if it is not JSON."""
    try:
        return json.loads(body, parse_constant=no_number)
    except (ValueError, RecursionError):
        return None


def no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
