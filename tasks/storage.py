"""Access Supabase Storage.

The class of an error determines whether the worker retries, gives up, or needs an operator.
"""

import logging
import random
import re
import time
from contextlib import suppress
from functools import cache
from io import FileIO
from urllib.parse import parse_qs, urlsplit

import httpx
from storage3._sync.file_api import SyncBucketProxy
from storage3.exceptions import StorageApiError
from supabase import ClientOptions, create_client

import logs
import settings
from tasks.providers.protocol import Permanent

log = logging.getLogger("tasks")

BUCKET = "generations"

TOKEN_LASTS = 3600  # seconds, the same as for the URLs that the app signs
SIGN_WITHIN = 3.0  # seconds
CHECK_WITHIN = 10.0  # seconds
BAD_KEY = re.compile(
    "invalid (?:api key|jwt|compact jws)|jw[st] (?:signature|expired)|signature verification", re.I
)

# The cure for each TLS error, by its text. The server answers, so waiting would not help.
UNREACHABLE = {
    "WRONG_VERSION_NUMBER": "What answers at SUPABASE_URL speaks no TLS: correct it in .env.",
    "CERTIFICATE_VERIFY_FAILED": "The certificate of SUPABASE_URL cannot be verified: correct the address in .env,"
    " or name the CA of a project of your own by SSL_CERT_FILE.",
}

PAUSES: tuple[float, ...] = (0.5, 1.0, 2.0, 4.0)  # seconds between the attempts to store a file

# The errors of a call to Storage, including those after an answer of a different server.
STORAGE_ERRORS = (StorageApiError, httpx.HTTPError, LookupError, TypeError, ValueError)


class NotStored(Exception):
    """Storage is unreachable or busy, and may answer later. The provider's work is done."""


class AccessRefused(Exception):
    """Storage answers, but refuses every request of ours. The text names the cure."""


class NotThere(Exception):
    """Storage has no such object."""


class Refusal:
    """Remembers whether the last answer of Storage refused our key."""

    problem: str | None = None

    def note(self, answer: httpx.Response) -> None:
        status = str(answer.status_code)
        if status == "400":  # Storage puts its own status into the body
            answer.read()
            with suppress(ValueError, AttributeError):
                status = str(answer.json().get("statusCode"))
        if status in ("401", "403"):
            self.problem = (
                f"Storage refuses SUPABASE_SECRET_KEY ({status}): set the secret key of SUPABASE_URL"
            )
        elif answer.is_success:
            self.problem = None


last_refusal = Refusal()


def refusal() -> str | None:
    """Return the fault that an operator must correct before Storage accepts files.

    Returns None if the last answer of Storage was no refusal.
    """
    return last_refusal.problem


@cache
def connections(seconds: float) -> httpx.Client:
    # HTTP/1.1 uses one connection per thread; with HTTP/2 all threads would share one. Redirects
    # are off, since a redirect would send our key to another server.
    return httpx.Client(
        timeout=httpx.Timeout(seconds, connect=min(seconds, 5)),
        follow_redirects=False,
        event_hooks={"response": [last_refusal.note]},
    )


@cache
def bucket(name: str = BUCKET, seconds: float = 30) -> SyncBucketProxy:
    """Return a bucket of Storage. `seconds` is the timeout of each call to it."""
    config = settings.load()
    options = ClientOptions(
        auto_refresh_token=False, persist_session=False, httpx_client=connections(seconds)
    )
    client = create_client(
        config.secret("supabase_url"), config.secret("supabase_secret_key"), options=options
    )
    return client.storage.from_(name)


def sign(paths: list[str]) -> dict[str, str]:
    """Return a token for each path, so that a client can load a picture once Realtime names it.

    Without a token a client requests one from Storage, so an error here is only logged.
    """
    if not paths:
        return {}
    try:
        signed = bucket(BUCKET, SIGN_WITHIN).create_signed_urls(paths, TOKEN_LASTS)
        return {url["path"]: token_in(url["signedURL"]) for url in signed if url["signedURL"]}
    except STORAGE_ERRORS as error:
        log.warning("pictures.not_signed", extra={"paths": paths, "error": logs.describe(error)})
        return {}


def signed_url(bucket_name: str, path: str, *, seconds: int) -> str:
    """Return a URL that reads the object without a key; it expires after `seconds`.

    Raises NotThere, or NotStored if Storage does not answer.
    """
    try:
        return str(bucket(bucket_name).create_signed_url(path, seconds)["signedURL"])
    except STORAGE_ERRORS as error:
        raise missing_or_away(path, error) from error


def check_access() -> None:
    """Check that Storage accepts our key, by signing a URL, which changes nothing.

    Raises AccessRefused, or NotStored if Storage does not answer.
    """
    try:
        connections(CHECK_WITHIN)
    except (OSError, ValueError) as error:
        raise AccessRefused(
            f"No connection can be opened ({logs.describe(error)}): correct SSL_CERT_FILE and the proxies of the"
            " environment."
        ) from error
    try:
        bucket(BUCKET, CHECK_WITHIN).create_signed_urls(["start"], 60)
    except StorageApiError as error:
        if str(error.status) in ("401", "403") or BAD_KEY.search(str(error.message)):
            raise AccessRefused(
                "Storage refuses SUPABASE_SECRET_KEY: set it in .env to a secret key of the project in SUPABASE_URL."
            ) from error
        if str(error.status)[:1] in "34":
            raise AccessRefused(
                f"What answers at SUPABASE_URL is no Storage (it says {error.status}): correct it in .env."
            ) from error
        raise NotStored(logs.describe(error)) from error
    except STORAGE_ERRORS as error:
        for said, cure in UNREACHABLE.items():
            if said in str(error):
                raise AccessRefused(cure) from error
        raise NotStored(logs.describe(error)) from error


def head(bucket_name: str, path: str, size: int) -> bytes:
    """Return the first `size` bytes of an object. Raises as `signed_url` does."""
    content = bytearray()
    url = signed_url(bucket_name, path, seconds=60)
    try:
        with httpx.stream("GET", url, timeout=15, headers={"Accept-Encoding": "identity"}) as response:
            response.raise_for_status()
            for chunk in response.iter_raw():
                content += chunk
                if len(content) >= size:
                    break
    except httpx.HTTPError as error:
        raise NotStored(f"{path}: {logs.describe(error)}") from error
    return bytes(content[:size])


def missing_or_away(path: str, error: Exception) -> Exception:
    status = str(error.status) if isinstance(error, StorageApiError) else ""
    return (NotThere if status in ("400", "404") else NotStored)(f"{path}: {logs.describe(error)}")


def token_in(url: str) -> str:
    """Return only the token of a URL: worker and app may use different addresses of Storage."""
    return parse_qs(urlsplit(url).query)["token"][0]


def upload(path: str, file: FileIO | bytes, mime: str) -> None:
    """Upload a file, with retries for some seconds.

    After the last failure the provider may have to do its work again.
    """
    for pause in PAUSES:
        try:
            return upload_once(path, file, mime)
        except NotStored as error:
            log.warning("object.not_stored", extra={"path": path, "error": str(error)})
            time.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311
    upload_once(path, file, mime)


def upload_once(path: str, file: FileIO | bytes, mime: str) -> None:
    if isinstance(file, FileIO):
        file.seek(0)
    try:
        bucket().upload(path, file, {"content-type": mime, "cache-control": "31536000", "upsert": "true"})
    except STORAGE_ERRORS as error:
        status = str(error.status) if isinstance(error, StorageApiError) else ""
        if status in ("413", "415"):  # Storage sends text or a number
            log.error("object.refused", extra={"path": path, "mime": mime, "error": logs.describe(error)})
            raise Permanent(
                "provider_rejected", "The result is too large or of a kind we do not store."
            ) from error
        raise NotStored(f"{path}: {logs.describe(error)}") from error


def remove(bucket_name: str, paths: list[str]) -> None:
    """Remove these objects. A missing object is no error. Raises NotStored."""
    try:
        bucket(bucket_name).remove(paths)
    except STORAGE_ERRORS as error:
        raise NotStored(f"{len(paths)} objects not removed: {logs.describe(error)}") from error
