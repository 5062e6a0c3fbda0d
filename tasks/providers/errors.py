"""Translate the errors of providers to our codes: one table for all of them.

A text is read without the words of the job's own input, which providers repeat. A prompt decides
nothing here, and belongs in no log.
"""

import re
from collections.abc import Iterable
from typing import Literal

from tasks.providers.protocol import BUSY, OutOfService, Permanent, Rejected, Transient
from tasks.providers.wordings import (
    BAD_INPUT,
    CONTENT_CODES,
    GONE,
    GUARD,
    JUDGED,
    NAMED,
    NOT_FETCHED,
    OUR_ACCOUNT,
    PASSING_TROUBLE,
    TECHNICAL,
    TOO_MUCH,
    VERDICT,
)

Meaning = Literal["content", "too_big", "passing", "account", "model_gone", "input", "unknown"]

REJECTED_CONTENT = ("content_rejected", "The content was rejected. Please try something else.")
REJECTED_INPUT = ("invalid_input", "The model does not take this input.")
TOO_BIG = ("provider_rejected", "This is too large for the model. Please try something smaller.")
NOT_MADE = ("provider_rejected", "The model could not make this.")

CLAUSES = re.compile(r"[;\n!?]|\.\s|\.$|[\"'}]\s*,\s")  # of sentences, and of what stands in JSON
FIELD = re.compile(r"input\.([A-Za-z][A-Za-z0-9_]{0,39})(?:\.\d{1,3})?")

# The first that is found decides.
TABLE: tuple[tuple[re.Pattern[str], Meaning], ...] = (
    (TOO_MUCH, "too_big"),
    (NOT_FETCHED, "passing"),
    (OUR_ACCOUNT, "account"),
    (BAD_INPUT, "input"),
    (PASSING_TROUBLE, "passing"),
)


def meaning_of(text: str) -> Meaning:
    """The meaning of the error of failed work."""
    text = text.replace("\u2019", "'")
    if is_refused_content(text):
        return "content"
    return next((meaning for found, meaning in TABLE if found.search(text)), "unknown")


def is_refused_content(text: str) -> bool:
    return bool(CONTENT_CODES.search(text)) or any(is_refusal(clause) for clause in CLAUSES.split(text))


def is_refusal(clause: str) -> bool:
    if TECHNICAL.search(clause):
        return False
    is_verdict = JUDGED.search(clause) or (GUARD.search(clause) and VERDICT.search(clause))
    return bool(is_verdict or (NAMED.search(clause) and not PASSING_TROUBLE.search(clause)))


def failure(text: str) -> Transient | Permanent:
    """The exception for work that failed with this text."""
    match meaning_of(text):
        case "content":
            return Permanent(*REJECTED_CONTENT)
        case "input":
            return Permanent(*REJECTED_INPUT)
        case "too_big":
            return Permanent(*TOO_BIG)
        case "passing" | "account":
            return Transient(*BUSY)
        case _:
            return Permanent(*NOT_MADE)


def refusal(status: int, text: str, fields: Iterable[str] = ()) -> Transient | Rejected:
    """The exception for a start that was refused with 4xx, so that nothing was begun.

    Args:
        fields: The fields that the provider calls invalid, such as `input.seed`.
    """
    fields = list(fields)
    if status in (401, 402):
        return OutOfService(f"{status}: {text}")
    if is_refused_content(text):
        return Rejected(*REJECTED_CONTENT)
    if not fields and (status in (404, 410) or GONE.search(text)):
        return OutOfService(f"{status}: {text}", is_model_gone=True)
    if not fields and (status == 403 or OUR_ACCOUNT.search(text)):
        return OutOfService(f"{status}: {text}")
    if status in (400, 413, 415, 422):
        return Rejected("invalid_input", refused_input(fields))
    trouble = failure(text)
    return trouble if isinstance(trouble, Transient) else Rejected(trouble.code, trouble.message)


def refused_input(fields: Iterable[str]) -> str:
    """Name a field only if its name is plain: the text is the provider's, and a user reads it."""
    names = (FIELD.fullmatch(field) for field in fields)
    name = next((found[1] for found in names if found), None)
    return f"The model does not take this value of `{name}`." if name else REJECTED_INPUT[1]
