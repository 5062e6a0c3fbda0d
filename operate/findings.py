"""What doctor finds: one line each, with the cure of what would not work."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "note", "wrong"]


@dataclass(frozen=True, slots=True)
class Finding:
    """`note` is what works and could be better, or could not be looked at; `wrong` would not work."""

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
