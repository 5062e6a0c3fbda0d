"""Make the input of a provider: the job's input with URLs of photos and secrets filled in."""

import io
import logging
from collections.abc import Callable
from typing import Any

from PIL import Image, UnidentifiedImageError

import settings
from tasks import storage
from tasks.providers.protocol import Permanent
from tasks.store import Job

log = logging.getLogger("tasks")

# Bytes. The size of a picture comes after its EXIF data, which can contain a preview of the camera.
HEAD = 262_144
FORMATS = ["JPEG", "PNG", "WEBP"]
READ_AFTER_DEADLINE = 300.0  # seconds that a URL stays valid; a provider may fetch its input late

UrlOf = Callable[[Job, str], str]


def of(job: Job, url_of: UrlOf | None = None) -> dict[str, Any]:
    """Return the input for the provider.

    `url_of` returns the URL of a photo. By default this is a signed URL of our Storage.

    Raises:
        Permanent: A file is no photo, a photo was deleted, or a secret is not set.
        NotStored: Storage does not answer.
    """
    for path in job.input_paths:
        look_at(path)
    urls = {path: (url_of or signed_url)(job, path) for path in job.input_paths}
    return {name: resolved(job, value, urls) for name, value in job.provider_input.items()}


def resolved(job: Job, value: Any, urls: dict[str, str]) -> Any:
    if isinstance(value, str):
        return urls.get(value, value)
    if isinstance(value, list):
        return [resolved(job, item, urls) for item in value]
    if is_secret(value):
        return secret(job, str(value["$env"]))
    return value


def is_secret(value: object) -> bool:
    return isinstance(value, dict) and set(value) == {"$env"}


def secret(job: Job, name: str) -> str:
    value = settings.variable(name)
    if not value:
        log.error("model.misconfigured", extra=job.facts | {"model": job.model, "missing": name})
        raise Permanent("internal", "This model is not available.")
    return value


def signed_url(job: Job, path: str) -> str:
    return storage.signed_url(bucket_of(path), path, seconds=int(job.seconds_left + READ_AFTER_DEADLINE))


def bucket_of(path: str) -> str:
    """Return the bucket of a path: <user>/<uuid>.jpg is an upload, <user>/<job>/0.jpg an output."""
    return "inputs" if path.count("/") == 1 else storage.BUCKET


def look_at(path: str) -> None:
    """Raise `invalid_input` unless the first bytes are those of a photo.

    The name and the declared type of a file prove nothing.
    """
    try:
        head = storage.head(bucket_of(path), path, HEAD)
        Image.open(io.BytesIO(head), formats=FORMATS)
    except storage.NotThere as error:
        raise Permanent("invalid_input", "The photo is no longer there. Please choose it again.") from error
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise Permanent("invalid_input", "This photo cannot be read. Please choose another one.") from error


def is_same(expected: object, seen: object, paths: list[str]) -> bool:
    """Return whether the input in a provider's list is the input that a job submitted.

    A photo is compared by the path of its URL. If the provider copied the photo elsewhere, any URL
    is accepted. A secret is not compared, since providers hide it.
    """
    if is_secret(expected):
        return True
    if isinstance(expected, list) and isinstance(seen, list):
        return len(expected) == len(seen) and all(map(is_same, expected, seen, [paths] * len(seen)))
    if isinstance(expected, str) and expected in paths:
        return isinstance(seen, str) and ("/object/sign/" not in seen or f"/{expected}?" in f"{seen}?")
    return expected == seen
