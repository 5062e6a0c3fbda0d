"""Read kind, size and a thumbnail of an output from its bytes.

The name and the declared type of an output are ignored.
"""

import base64
import json
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from io import FileIO
from pathlib import Path
from typing import Any, BinaryIO

from tasks import probe
from tasks.providers.protocol import Unusable

# Kind and type by the extension of the stored file. The bucket accepts these types and no others.
TYPES = {
    "png": ("image", "image/png"),
    "jpg": ("image", "image/jpeg"),
    "webp": ("image", "image/webp"),
    "gif": ("image", "image/gif"),
    "avif": ("image", "image/avif"),
    "mp4": ("video", "video/mp4"),
    "webm": ("video", "video/webm"),
    "mov": ("video", "video/quicktime"),
    "mp3": ("audio", "audio/mpeg"),
    "wav": ("audio", "audio/wav"),
    "m4a": ("audio", "audio/mp4"),
    "ogg": ("audio", "audio/ogg"),
    "flac": ("audio", "audio/flac"),
    "weba": ("audio", "audio/webm"),
}
THUMB_TYPE = "image/webp"

# A child process costs a tenth of a second. So small pictures of the formats that nearly all models
# make are read in the worker, two at a time. All other files are read in a child, one at a time: a
# WebP of 67 megapixels takes a gigabyte.

# Bytes for a pixel while a picture is read, as measured. libwebp keeps four copies of a picture.
BYTES_A_PIXEL = {"PNG": 4, "JPEG": 4, "MPO": 4, "WEBP": 16}
READ_HERE = 20_000_000  # bytes of pixels: 5 megapixels of PNG
# Two separate threads: each thread that reads pictures keeps the memory that it once needed.
READERS = ThreadPoolExecutor(2, thread_name_prefix="reader")
CHILD_AT_ONCE = threading.Lock()
CHILD_SECONDS = 30.0
# Without its bytecode cache Python takes ten times as long to start. In isolated mode it ignores
# the variable that names the cache, so the option names it.
CACHES = ["-X", f"pycache_prefix={sys.pycache_prefix}"] if sys.pycache_prefix else []
# The child gets no secret, and no signal that is sent to the worker's process group.
APART: dict[str, Any] = {"env": {}, "capture_output": True, "start_new_session": True}
ENDED_BY_OTHERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
COMMAND = [sys.executable, "-I", *CACHES, str(Path(probe.__file__))]


@dataclass(frozen=True, slots=True)
class Media:
    """The facts of an output. `duration` is in seconds; `thumb` is a WebP.

    A sound has no width, no height and no thumb.
    """

    extension: str
    width: int | None = None
    height: int | None = None
    blurhash: str | None = None
    duration: float | None = None
    thumb: bytes | None = None

    @property
    def kind(self) -> str:
        return TYPES[self.extension][0]

    @property
    def mime(self) -> str:
        return TYPES[self.extension][1]


@cache
def can_read(kind: str) -> bool:
    """Return whether this worker can store the outputs of a model of that kind.

    Video and sound need the extra `media`.
    """
    return kind in ("image", "text") or (kind in ("video", "audio") and find_spec("av") is not None)


def look(file: FileIO) -> Media:
    """Read the facts of an output.

    Raises:
        Unusable: The file cannot be read.
        OSError: This machine failed.
    """
    os.lseek(file.fileno(), 0, os.SEEK_SET)
    with open(file.fileno(), "rb", closefd=False) as reader:
        try:
            facts = in_a_reader(reader) or in_a_child(reader)
        except probe.Unreadable as error:
            raise Unusable(str(error)) from error
    thumb = facts.pop("thumb", None)
    return Media(**facts, thumb=thumb and base64.b64decode(thumb))


def in_a_reader(reader: BinaryIO) -> dict[str, Any] | None:
    try:
        future = READERS.submit(read_here, reader)
    except RuntimeError:  # this process is ending
        return read_here(reader)
    return future.result()


def read_here(reader: BinaryIO) -> dict[str, Any] | None:
    """Read a small picture; return None for a file that a child must read."""
    if probe.demuxer_of(reader.read(64)) is not None:
        return None
    reader.seek(0)
    with probe.opened(reader) as image:
        cost = image.width * image.height * BYTES_A_PIXEL.get(str(image.format), READ_HERE)
    reader.seek(0)
    return probe.picture(reader) if cost <= READ_HERE else None


def in_a_child(reader: BinaryIO) -> dict[str, Any]:
    os.lseek(reader.fileno(), 0, os.SEEK_SET)
    try:
        with CHILD_AT_ONCE:
            child = subprocess.run(COMMAND, stdin=reader, timeout=CHILD_SECONDS, **APART)
    except subprocess.TimeoutExpired as error:
        raise probe.Unreadable(f"reading it took more than {CHILD_SECONDS:.0f} s") from error
    if child.returncode > 0 or -child.returncode in ENDED_BY_OTHERS:
        raise OSError(f"the reader of files ended with {child.returncode}: {child.stderr.decode()[-300:]}")
    if child.returncode != 0:
        raise probe.Unreadable(f"its reader ended with {child.returncode}")
    facts: dict[str, Any] = json.loads(child.stdout)
    if "unreadable" in facts:
        raise probe.Unreadable(facts["unreadable"])
    return facts
