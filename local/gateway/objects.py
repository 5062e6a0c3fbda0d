"""The bytes of objects, each version in a file of its own, named by nothing that a request says.

A version is written before the transaction that names it commits, and deleted after the one that
removes its name: a crash leaves a file without a row, never a row without its file.
"""

import uuid
from collections.abc import Iterable
from pathlib import Path

from local.stack import Stack


def path_of(stack: Stack, version: str) -> Path:
    return stack.folder / "storage" / uuid.UUID(version).hex


def write(stack: Stack, version: str, data: bytes) -> None:
    path = path_of(stack, version)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)


def remove(stack: Stack, versions: Iterable[str | None]) -> None:
    for version in versions:
        if version is not None:
            path_of(stack, version).unlink(missing_ok=True)
