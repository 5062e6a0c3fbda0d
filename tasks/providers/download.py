"""Fetch what a provider made: only from hosts we name, and within bounds of time; storage bounds the size."""

import base64
import binascii
import time
from collections.abc import Iterable, Iterator
from functools import cache

import httpx

from tasks.providers.protocol import Permanent, Unanswered

TIMEOUT = httpx.Timeout(15, connect=5)
WITHIN = 90.0  # seconds for a whole file


@cache
def client() -> httpx.Client:
    # No redirects and no proxies: a file is where it was said to be. And no credentials.
    return httpx.Client(timeout=TIMEOUT, follow_redirects=False, trust_env=False)


def fetch(url: str, *, origins: Iterable[str]) -> Iterable[bytes]:
    """The file behind a URL, in chunks. An origin such as `https://*.example.com` stands for the host and all below it.

    Raises at once:
        Permanent: It is not a place we fetch from.
    Raises while it is read:
        Unanswered: Not now.
        Permanent: It is gone, or not a picture.
    """
    if url.startswith("data:"):
        return [inline(url)]
    if not any(is_at(url, origin) for origin in origins):
        raise Permanent("provider_rejected", "The result is not a picture we can show.")
    return chunks(url)


def is_at(url: str, origin: str) -> bool:
    try:
        here, allowed = httpx.URL(url), httpx.URL(origin.replace("*.", ""))
    except httpx.InvalidURL:
        return False
    is_below = "*." in origin and here.host.endswith(f".{allowed.host}")
    return (here.scheme, here.port) == (allowed.scheme, allowed.port) and (
        here.host == allowed.host or is_below
    )


def chunks(url: str) -> Iterator[bytes]:
    until = time.monotonic() + WITHIN
    try:
        with client().stream("GET", url) as response:
            check(response)
            for chunk in response.iter_bytes():
                yield chunk
                if time.monotonic() > until:
                    raise Unanswered("the file does not end")
    except httpx.HTTPError as error:
        raise Unanswered("no answer") from error


def check(response: httpx.Response) -> None:
    if response.status_code in (403, 404, 410):
        raise Permanent("provider_unavailable", "The result was deleted before we could fetch it.")
    if response.status_code != 200:
        raise Unanswered(f"the file answers {response.status_code}")
    if not response.headers.get("content-type", "").startswith(("image/", "application/octet-stream")):
        raise Permanent("provider_rejected", "The result is not a picture we can show.")


def inline(url: str) -> bytes:
    head, _, content = url.partition(",")
    try:
        if head.startswith("data:image/") and head.endswith(";base64"):
            return base64.b64decode(content, validate=True)
    except binascii.Error:
        pass
    raise Permanent("provider_rejected", "The result is not a picture we can show.")
