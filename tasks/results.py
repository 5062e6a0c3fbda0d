"""Check and store the outputs of a job.

A path is derived from the job, so a repeated upload makes one object.
"""

import logging
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from io import FileIO
from tempfile import TemporaryFile
from typing import Any

import settings
from tasks import media, storage
from tasks.providers.download import File
from tasks.providers.protocol import Permanent, Unusable
from tasks.store import Job

log = logging.getLogger("tasks")

MAX_TEXT_BYTES = 65_536  # bytes; the text is stored in the row itself


@dataclass(frozen=True, slots=True)
class Checked:
    """An output that can be stored.

    `facts` is its entry in `generations.output`. `file` and `thumb` have the bytes of a file.
    """

    facts: dict[str, Any]
    file: FileIO | None = None
    thumb: bytes | None = None


def save(job: Job, outputs: list[Iterable[bytes] | str]) -> list[dict[str, Any]]:
    """Fetch and check every output, then store them. Returns their entries in `generations.output`.

    Raises:
        Permanent: None of the outputs can be stored.
        storage.NotStored: Storage, or the disk of this machine, did not accept one now.
    """
    with ExitStack() as files:  # files without names disappear with the process, even after a crash
        checked = usable(job, outputs, files)
        for output in checked:
            store(output)
    tokens = storage.sign([path for output in checked for path in paths_of(output)])
    return [output.facts | tokens_of(output, tokens) for output in checked]


def usable(job: Job, outputs: list[Iterable[bytes] | str], files: ExitStack) -> list[Checked]:
    """Return the outputs that can be stored.

    The user paid, so a bad output does not fail the others.
    """
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
    """Return the facts of an output that may be logged: no prompt, no key."""
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
    except OSError as error:  # the disk is full, or no process can be started
        raise storage.NotStored(f"this machine: {error}") from error
    return Checked(described(f"{job.user_id}/{job.id}/{number}", seen, size), file, seen.thumb)


def text(output: str) -> str:
    """Return the text in a form that jsonb accepts.

    NUL is removed, and surrogate pairs that arrived in two fragments are joined.
    """
    try:
        whole = output.replace("\0", "").encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeError as error:
        raise Unusable("half a character in a text") from error
    if len(whole.encode()) > MAX_TEXT_BYTES:
        raise Unusable(f"a text of {len(whole)} characters", message="The text is too long.")
    return whole


def spool(chunks: Iterable[bytes], file: FileIO, limit: int) -> int:
    """Write the chunks to the file. Returns their size in bytes."""
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > limit:
            raise Unusable(f"more than {limit} bytes", message="The result is too large.")
        left = memoryview(chunk)
        while left:
            left = left[file.write(left) :]
    return size


def described(path: str, seen: media.Media, size: int) -> dict[str, Any]:
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


def store(output: Checked) -> None:
    if output.file is not None:
        storage.upload(output.facts["path"], output.file, output.facts["mime"])
    if output.thumb is not None:
        storage.upload(output.facts["thumb"], output.thumb, media.THUMB_TYPE)
