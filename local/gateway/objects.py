"""The bytes of objects. Each version has its own file, whose name has no part of a request.

A version is written before the transaction that inserts its row commits, and deleted after the
transaction that removes its row. So a crash leaves a file without a row, never a row without its
file.
"""

import shutil
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from local.stack import Stack


def path_of(stack: Stack, version: str) -> Path:
    return stack.folder / "storage" / uuid.UUID(version).hex


def write(stack: Stack, version: str, file: BinaryIO) -> None:
    path = path_of(stack, version)
    path.parent.mkdir(exist_ok=True)
    file.seek(0)
    with path.open("wb") as stored:
        shutil.copyfileobj(file, stored)


def remove(stack: Stack, versions: Iterable[str | None]) -> None:
    for version in versions:
        if version is not None:
            path_of(stack, version).unlink(missing_ok=True)
