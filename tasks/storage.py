"""Put outputs into Supabase Storage, once: the path is made from the job, so an upload done twice is one object."""

import io
import logging
import random
import time
from collections.abc import Iterable
from functools import cache
from typing import Any
from urllib.parse import parse_qs, urlsplit

import blurhash
import httpx
from PIL import Image, UnidentifiedImageError
from storage3._sync.file_api import SyncBucketProxy
from storage3.exceptions import StorageApiError
from supabase import ClientOptions, create_client

import logs
import settings
from tasks.providers.protocol import Permanent
from tasks.store import Job

log = logging.getLogger(__name__)

BUCKET = "generations"
EXTENSIONS = {"PNG": "png", "JPEG": "jpg", "WEBP": "webp"}  # what the bucket accepts
MAX_PIXELS = 40_000_000  # decoded, a few compressed kilobytes can fill the memory of a worker

TOKEN_LASTS = 3600  # seconds, as long as the app's own URLs
SIGN_WITHIN = 3.0  # seconds

PAUSES: tuple[float, ...] = (0.5, 1.0, 2.0, 4.0)  # seconds between tries to store a picture


class NotStored(Exception):
    """Storage did not take the picture now; the work itself is done."""


@cache
def bucket(seconds: float = 30) -> SyncBucketProxy:
    """Storage, when a call may take this long."""
    config = settings.load()
    # HTTP/1.1: one connection per thread, where HTTP/2 would share one among all.
    http = httpx.Client(timeout=httpx.Timeout(seconds, connect=min(seconds, 5)), follow_redirects=True)
    options = ClientOptions(auto_refresh_token=False, persist_session=False, httpx_client=http)
    client = create_client(
        config.secret("supabase_url"), config.secret("supabase_secret_key"), options=options
    )
    return client.storage.from_(BUCKET)


def save(job: Job, outputs: list[Iterable[bytes]]) -> list[dict[str, Any]]:
    """Check and store every output; what `generations.output` says of them."""
    limit = settings.load().max_output_bytes
    saved = [save_one(job, number, read(chunks, limit)) for number, chunks in enumerate(outputs)]
    tokens = sign([picture["path"] for picture in saved])
    return [picture | {"token": tokens.get(picture["path"])} for picture in saved]


def sign(paths: list[str]) -> dict[str, str]:
    """Tokens to read the pictures with, by path, so that a client that hears of a picture can load it at once.

    A client without one asks Storage itself: this may fail and must not take long.
    """
    try:
        signed = bucket(SIGN_WITHIN).create_signed_urls(paths, TOKEN_LASTS)
        return {url["path"]: token_in(url["signedURL"]) for url in signed if url["signedURL"]}
    except (StorageApiError, httpx.HTTPError, LookupError, ValueError) as error:
        log.warning("pictures.not_signed", extra={"paths": paths, "error": logs.describe(error)})
        return {}


def token_in(url: str) -> str:
    """The token alone: a worker may know Storage by another address than the app does."""
    return parse_qs(urlsplit(url).query)["token"][0]


def read(chunks: Iterable[bytes], limit: int) -> bytes:
    content = bytearray()
    for chunk in chunks:
        content += chunk
        if len(content) > limit:
            raise Permanent("provider_rejected", "The picture is too large.")
    return bytes(content)


def save_one(job: Job, number: int, content: bytes) -> dict[str, Any]:
    picture = opened(content)
    path = f"{job.user_id}/{job.id}/{number}.{EXTENSIONS[str(picture.format)]}"
    mime = picture.get_format_mimetype()  # type: ignore[attr-defined]
    upload(path, content, mime)
    return {
        "path": path,
        "mime": mime,
        "width": picture.width,
        "height": picture.height,
        "blurhash": blurred(picture),
    }


def upload(path: str, content: bytes, mime: str) -> None:
    """A moment without Storage is waited for here: giving up means to have the work done again."""
    for pause in PAUSES:
        try:
            return upload_once(path, content, mime)
        except NotStored:
            time.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311
    upload_once(path, content, mime)


def upload_once(path: str, content: bytes, mime: str) -> None:
    try:
        bucket().upload(path, content, {"content-type": mime, "cache-control": "31536000", "upsert": "true"})
    except StorageApiError as error:
        if str(error.status) in ("413", "415"):  # it passes on what Storage calls its status, number or not
            raise Permanent(
                "provider_rejected", "The picture is too large or of a kind we do not store."
            ) from error
        raise NotStored(path) from error
    except httpx.HTTPError as error:
        raise NotStored(path) from error


def remove(paths: list[str]) -> None:
    """Removing what is not there is no error."""
    try:
        bucket().remove(paths)
    except (StorageApiError, httpx.HTTPError) as error:
        raise NotStored(", ".join(paths)) from error


def opened(content: bytes) -> Image.Image:
    """The picture, decoded whole: a truncated or foreign file fails here and not on the phone."""
    try:
        picture = Image.open(io.BytesIO(content), formats=list(EXTENSIONS))
        if picture.width * picture.height > MAX_PIXELS:
            raise Permanent("provider_rejected", "The picture is too large.")
        picture.load()
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise Permanent("provider_rejected", "The result is not a picture we can show.") from error
    return picture


def blurred(picture: Image.Image) -> str:
    # Four waves a side need no more pixels, and blurhash is Python that pays for each: 16 cost a third of what 32 do.
    small = picture.convert("RGB").resize((16, 16))
    pixels = [[small.getpixel((x, y)) for x in range(16)] for y in range(16)]
    return str(blurhash.encode(pixels, 4, 4))
