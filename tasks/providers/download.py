"""Fetch outputs: only from named hosts, in a bounded time. `storage` bounds the size."""

import base64
import re
import time
from collections.abc import Iterable, Iterator
from functools import cache
from urllib.parse import unquote_to_bytes

import httpx

from tasks.providers.protocol import Unanswered, Unusable

DOWNLOAD_TIMEOUT = httpx.Timeout(15, connect=5)
DOWNLOAD_WITHIN = 90.0  # seconds for a whole file
GONE = ("provider_unavailable", "The result was deleted before we could fetch it.")
NOT_FETCHED = ("provider_unavailable", "The result could not be fetched.")

DATA = re.compile(r"data:[\w.+-]*/?[\w.+-]*(;[\w.+-]+(=[\w.+-]*)?)*,", re.ASCII | re.IGNORECASE)
DATA_CHUNK = 1 << 18  # characters; four of them are three bytes


@cache
def client() -> httpx.Client:
    # No redirects and no proxies: a file is where it was said to be. And no credentials.
    return httpx.Client(
        timeout=DOWNLOAD_TIMEOUT,
        follow_redirects=False,
        trust_env=False,
        headers={"Accept-Encoding": "identity"},
    )


class File:
    """The file behind a URL, or in a data URI. `facts` are for the log: no prompt and no key.

    Raises while it is read:
        Unanswered: Not now.
        Unusable: Not there any more, or not in a way we read.
    """

    def __init__(self, url: str, facts: dict[str, object]) -> None:
        self.url = url
        self.facts = facts | {"host": host_of(url)}

    def __iter__(self) -> Iterator[bytes]:
        return inline(self.url) if is_data(self.url) else self.fetched()

    def fetched(self) -> Iterator[bytes]:
        until = time.monotonic() + DOWNLOAD_WITHIN
        try:
            with client().stream("GET", self.url) as response:
                self.facts["content_type"] = response.headers.get("content-type", "")[:100]
                check(response)
                # As they are sent: a few compressed bytes can stand for any number.
                for chunk in response.iter_raw():
                    yield chunk
                    if time.monotonic() > until:
                        raise Unanswered("the file does not end")
        except httpx.HTTPError as error:
            raise Unanswered("no answer") from error


def is_at(url: str, origins: Iterable[str]) -> bool:
    """Whether we fetch from there. `https://*.example.com` stands for the host and all below it."""
    return any(is_below(url, origin) for origin in origins)


def is_below(url: str, origin: str) -> bool:
    try:
        here, allowed = httpx.URL(url), httpx.URL(origin.replace("*.", ""))
        is_subdomain = "*." in origin and here.host.endswith(f".{allowed.host}")
    except (httpx.InvalidURL, ValueError):  # a name that IDNA does not allow is a ValueError
        return False
    return (here.scheme, here.port) == (allowed.scheme, allowed.port) and (
        here.host == allowed.host or is_subdomain
    )


def is_data(url: str) -> bool:
    return DATA.match(url) is not None


def host_of(url: str) -> str:
    if is_data(url):
        return "data"
    try:
        return httpx.URL(url).host
    except (httpx.InvalidURL, ValueError):
        return "invalid"


def check(response: httpx.Response) -> None:
    status, encoding = response.status_code, response.headers.get("content-encoding", "identity")
    if status in (403, 404, 410):
        raise Unusable(f"the file answers {status}", *GONE)
    if response.is_redirect:
        raise Unusable(f"the file answers {status}, and no redirect is followed", *NOT_FETCHED)
    if status != 200:
        raise Unanswered(f"the file answers {status}")
    if encoding.strip().lower() not in ("", "identity"):
        raise Unusable(f"content encoding {encoding[:50]}", *NOT_FETCHED)


def inline(url: str) -> Iterator[bytes]:
    head, _, content = url.partition(",")
    if not head.lower().endswith(";base64"):
        yield unquote_to_bytes(content)
        return
    try:
        for start in range(0, len(content), DATA_CHUNK):
            yield base64.b64decode(content[start : start + DATA_CHUNK], validate=True)
    except ValueError as error:
        raise Unusable("a data URI that is no base64") from error
