"""The findings of doctor: one line each, with the cure of a fault."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "note", "wrong"]


@dataclass(frozen=True, slots=True)
class Finding:
    """`wrong` would not work. A `note` works and could be better, or could not be checked."""

    level: Level
    subject: str
    says: str


Findings = Iterator[Finding]
Check = Callable[[], Findings]


def ok(subject: str, says: str) -> Finding:
    return Finding("ok", subject, says)


def note(subject: str, says: str) -> Finding:
    return Finding("note", subject, says)


def wrong(subject: str, says: str) -> Finding:
    return Finding("wrong", subject, says)
