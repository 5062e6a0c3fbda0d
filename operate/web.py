"""One bounded HTTP request; no redirect is followed, since it would take a key along."""

import time
from collections.abc import Mapping

import httpx

import logs

ANSWER_WITHIN = 30.0  # seconds for the whole answer
MAX_BYTES = 8_000_000  # the schema of a model has a few kilobytes, its example a few more


def ask(
    method: str, url: str, headers: Mapping[str, str] | None = None, content: bytes | None = None
) -> tuple[int, bytes]:
    """Status and body. Raises httpx.HTTPError or httpx.InvalidURL."""
    until, body = time.monotonic() + ANSWER_WITHIN, bytearray()
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
            if len(body) > MAX_BYTES or time.monotonic() > until:
                raise httpx.ReadTimeout("the answer does not end")
        return answer.status_code, bytes(body)
