"""Put outputs into Supabase Storage, once: the path is made from the job, so an upload done twice is one object."""

import logging
import random
import re
import time
from collections.abc import Iterable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import cache
from io import FileIO
from tempfile import TemporaryFile
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
from storage3._sync.file_api import SyncBucketProxy
from storage3.exceptions import StorageApiError
from supabase import ClientOptions, create_client

import logs
import settings
from tasks import media
from tasks.providers.download import File
from tasks.providers.protocol import Permanent, Unusable
from tasks.store import Job

log = logging.getLogger("tasks")

BUCKET = "generations"
MAX_TEXT = 65_536  # bytes; it lies in the row itself

TOKEN_LASTS = 3600  # seconds, as long as the app's own URLs
SIGN_WITHIN = 3.0  # seconds
CHECK_WITHIN = 10.0  # seconds
BAD_KEY = re.compile(
    "invalid (?:api key|jwt|compact jws)|jw[st] (?:signature|expired)|signature verification", re.I
)

# What a server that is there says by TLS, and what to do; waiting mends none of it.
UNREACHABLE = {
    "WRONG_VERSION_NUMBER": "What answers at SUPABASE_URL speaks no TLS: correct it in .env.",
    "CERTIFICATE_VERIFY_FAILED": "The certificate of SUPABASE_URL cannot be verified: correct the address in .env,"
    " or name the CA of a project of your own by SSL_CERT_FILE.",
}

PAUSES: tuple[float, ...] = (0.5, 1.0, 2.0, 4.0)  # seconds between tries to store a file

# What a call to Storage raises, be it that something else answers in its place.
STORAGE_ERRORS = (StorageApiError, httpx.HTTPError, LookupError, TypeError, ValueError)


class NotStored(Exception):
    """Storage did not take, or give, the file now; the work itself is done."""


class AccessRefused(Exception):
    """Storage answers and would take nothing from us. The text names the cure."""


class NotThere(Exception):
    """Storage has no such object."""


@dataclass(frozen=True, slots=True)
class Checked:
    """An output that can be stored: what `generations.output` says of it and, of a file, its bytes."""

    facts: dict[str, Any]
    file: FileIO | None = None
    thumb: bytes | None = None


class Refusal:
    """Whether Storage refuses our key, by its last answer."""

    problem: str | None = None

    def note(self, answer: httpx.Response) -> None:
        status = str(answer.status_code)
        if status == "400":  # Storage's own status is in its body
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
    """What an operator must mend before Storage takes anything of ours; None if nothing is known."""
    return last_refusal.problem


@cache
def connections(seconds: float) -> httpx.Client:
    # HTTP/1.1: one connection per thread, where HTTP/2 would share one among all. A redirect would take the key along.
    return httpx.Client(
        timeout=httpx.Timeout(seconds, connect=min(seconds, 5)),
        follow_redirects=False,
        event_hooks={"response": [last_refusal.note]},
    )


@cache
def bucket(name: str = BUCKET, seconds: float = 30) -> SyncBucketProxy:
    """A bucket of Storage, when a call may take this long."""
    config = settings.load()
    options = ClientOptions(
        auto_refresh_token=False, persist_session=False, httpx_client=connections(seconds)
    )
    client = create_client(
        config.secret("supabase_url"), config.secret("supabase_secret_key"), options=options
    )
    return client.storage.from_(name)


def save(job: Job, outputs: list[Iterable[bytes] | str]) -> list[dict[str, Any]]:
    """Fetch and check every output, then store them; what `generations.output` says of them.

    Raises:
        Permanent: None of them can be stored.
        NotStored: Storage, or the disk of this machine, did not take one now.
    """
    with ExitStack() as files:  # they have no name: they are gone with the process, however it ends
        checked = usable(job, outputs, files)
        for output in checked:
            store(output)
    tokens = sign([path for output in checked for path in paths_of(output)])
    return [output.facts | tokens_of(output, tokens) for output in checked]


def usable(job: Job, outputs: list[Iterable[bytes] | str], files: ExitStack) -> list[Checked]:
    """What was paid for reaches the user: an output is left out if another one is fine."""
    checked, refused = [], []
    for number, output in enumerate(outputs):
        try:
            checked.append(check(job, number, output, files))
        except Permanent as error:
            cause = error.cause if isinstance(error, Unusable) else str(error)
            facts = job.facts | facts_of(output) | {"number": number, "cause": cause}
            log.warning("output.refused", extra=facts)
            refused.append(error)
    if refused and not checked:
        raise refused[0]
    return checked


def facts_of(output: Iterable[bytes] | str) -> dict[str, object]:
    """What the log may say of it: no prompt, no key."""
    if isinstance(output, str):
        return {"shape": f"text of {len(output)}"}
    return output.facts if isinstance(output, File) else {}


def check(job: Job, number: int, output: Iterable[bytes] | str, files: ExitStack) -> Checked:
    if isinstance(output, str):
        return Checked({"kind": "text", "text": text(output)})
    try:
        file = files.enter_context(TemporaryFile(buffering=0))  # noqa: SIM115
        size = spool(output, file, settings.load().max_output_bytes)
        seen = media.look(file)
    except OSError as error:  # no space is left, or no process can be started
        raise NotStored(f"this machine: {error}") from error
    return Checked(described(f"{job.user_id}/{job.id}/{number}", seen, size), file, seen.thumb)


def text(output: str) -> str:
    """As JSON in Postgres can hold it, which knows no NUL. A character may come as two halves in two fragments."""
    try:
        whole = output.replace("\0", "").encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeError as error:
        raise Unusable("half a character in a text") from error
    if len(whole.encode()) > MAX_TEXT:
        raise Unusable(f"a text of {len(whole)} characters", message="The text is too long.")
    return whole


def spool(chunks: Iterable[bytes], file: FileIO, limit: int) -> int:
    """Write them down, and how many bytes they are."""
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > limit:
            raise Unusable(f"more than {limit} bytes", message="The result is too large.")
        left = memoryview(chunk)
        while left:
            left = left[file.write(left) :]
    return size


def described(path: str, seen: "media.Media", size: int) -> dict[str, Any]:
    return {
        "kind": seen.kind,
        "path": f"{path}.{seen.extension}",
        "mime": seen.mime,
        "bytes": size,
        "width": seen.width,
        "height": seen.height,
        "blurhash": seen.blurhash,
        "thumb": f"{path}-thumb.webp" if seen.thumb else None,
        "duration": seen.duration,
    }


def paths_of(output: Checked) -> list[str]:
    return [output.facts[name] for name in ("path", "thumb") if output.facts.get(name)]


def tokens_of(output: Checked, tokens: dict[str, str]) -> dict[str, str | None]:
    if output.file is None:
        return {}
    path, thumb = output.facts["path"], output.facts["thumb"]
    return {"token": tokens.get(path), "thumb_token": tokens.get(thumb)}


def sign(paths: list[str]) -> dict[str, str]:
    """Tokens to read the files with, by path, so that a client that hears of a picture can load it at once.

    A client without one asks Storage itself: this may fail and must not take long.
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
    """Where anybody reads the object for so many seconds. Raises NotThere, and NotStored if Storage does not answer."""
    try:
        return str(bucket(bucket_name).create_signed_url(path, seconds)["signedURL"])
    except STORAGE_ERRORS as error:
        raise missing_or_away(path, error) from error


def check_access() -> None:
    """Ask Storage something harmless. Raises AccessRefused, or NotStored if it does not answer."""
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
    """The first bytes of an object. Raises as signed_url does."""
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
    """The token alone: a worker may know Storage by another address than the app does."""
    return parse_qs(urlsplit(url).query)["token"][0]


def store(output: Checked) -> None:
    if output.file is not None:
        upload(output.facts["path"], output.file, output.facts["mime"])
    if output.thumb is not None:
        upload(output.facts["thumb"], output.thumb, media.THUMB_TYPE)


def upload(path: str, file: FileIO | bytes, mime: str) -> None:
    """A moment without Storage is waited for here: giving up means to have the work done again."""
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
        if status in ("413", "415"):  # it passes on what Storage calls its status, number or not
            log.error("object.refused", extra={"path": path, "mime": mime, "error": logs.describe(error)})
            raise Permanent(
                "provider_rejected", "The result is too large or of a kind we do not store."
            ) from error
        raise NotStored(f"{path}: {logs.describe(error)}") from error


def remove(bucket_name: str, paths: list[str]) -> None:
    """Removing what is not there is no error."""
    try:
        bucket(bucket_name).remove(paths)
    except STORAGE_ERRORS as error:
        raise NotStored(f"{len(paths)} objects not removed: {logs.describe(error)}") from error
