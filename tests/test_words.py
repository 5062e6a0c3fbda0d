"""One word for one idea, and no sentence that a reader must decode."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.stack import ROOT
from tests.support.tracked import tracked

SKIPPED = re.compile(r"(^|/)(.*lock.*|openapi\.ts|test_words\.py)$|^requirements/|\.(png|ico|jpg|webp)$")

# The forbidden words, each with the word to use.
INSTEAD = {
    r"\blane\b": "rate_limited_by",
    r"release_held_jobs|jobs_held\b": "admit_jobs, jobs_rate_limited",
    r"['\"]held['\"]": "rate_limited",
    r"abandoned_work|abandon_work|abandon_unknown_work": "provider_cancellations, cancel_stray_prediction",
    r"orphaned_objects|orphan_sweep|sweep_orphans|\borphans_of\b": "unreferenced_objects",
    r"of nobody\b": "unreferenced object",
    r"\bshare_now\b": "rate_factor",
    r"\bfree_ref\b": "is_ref_available",
    r"\bformer_refs\b": "failed_refs",
    r"\breport_start\b|\breport_throttled\b": "record_start, record_throttled",
    r"jobs_follow_their_arrows|refuse_illegal_move": "jobs_enforce_transitions, enforce_transition",
    r"HOPELESS_AFTER|\bsaw_all": "REDISPATCH_UNCONDITIONALLY_AFTER, caught_up",
    r"\b[Dd]eaf(ness)?\b|DEAF_AFTER": "stalled, watchdog; HeartbeatMissed",
    r"\bCast\b|\b[Dd]eeds?\b|DEEDS|_deeds": "Actors, Action",
    r"\bhold\(|\bis_held\b|\bheld\(|\bPATIENCE\b": "renewing, lock, is_locked, rate_limited, …_WITHIN",
    r"\bsettled?\(|\bto settle\"": "recordFailure, wait_for_jobs; settle is the ledger's",
    r"def test_(what|who|whoever|whatever|nobody)_": "name the thing",
    r"worker[./]revoke\b": "cancel_by_operator",
    r"\b[Mm]eanwhile\b": "say when",
    r"\bfor ever\b": "permanently, never expires",
    r"\bgives? on\b": "passes on, releases",
}


def lines_with(pattern: str | re.Pattern[str]) -> Iterator[tuple[Path, int, str]]:
    """The lines of our texts that have the pattern, each with its file and its number."""
    for path in tracked():
        if not SKIPPED.search(str(path)):
            for number, line in enumerate((ROOT / path).read_text().splitlines(), 1):
                if re.search(pattern, line):
                    yield path, number, line


@pytest.mark.quick  # git
@pytest.mark.parametrize("pattern", INSTEAD)
def test_a_word_of_the_old_dialect_does_not_come_back(pattern: str) -> None:
    assert not (found := list(lines_with(pattern))), f"say {INSTEAD[pattern]}: {found}"


# A heading or a table of a document may ask, and `wordings.txt` has the sentences of providers.
SUBJECT = re.compile(
    r"""(^\s*|[.:;!]\**\s+|(\#+|--|//|/\*\*?|\*|"{3}|\|)\s*\**)
    (What|Who|Whoever|Whatever|Nobody|No\ one)\b(?![^.]*\?)""",
    re.VERBOSE,
)


@pytest.mark.quick  # git
def test_a_sentence_names_its_subject() -> None:
    """'The functions of a worker', and not 'What a worker may do'. A question may ask."""
    found = [
        (path, number, line)
        for path, number, line in lines_with(SUBJECT)
        if path.name != "wordings.txt" and not (path.suffix == ".md" and line.startswith(("#", "|")))
    ]
    assert not found, f"name the thing: {found}"


@pytest.mark.quick  # git
def test_a_line_of_sql_fits_the_screen() -> None:
    """Ruff bounds comments and docstrings of Python alike, ESLint the comments of TypeScript."""
    ours = [found for found in lines_with(".{101}") if found[0].suffix == ".sql"]
    assert not (long := [found for found in ours if found[0].name != "schema.sql"]), long
