"""One word for one idea, and no word that a reader must decode: what docs/architecture.md calls by
another name.
"""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
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


def tracked_texts() -> list[str]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [
        path for path in listed.stdout.splitlines() if not SKIPPED.search(path) and (ROOT / path).is_file()
    ]


@pytest.mark.quick  # git
@pytest.mark.parametrize("pattern", INSTEAD)
def test_a_word_of_the_old_dialect_does_not_come_back(pattern: str) -> None:
    found = [
        f"{path}:{number}: {line.strip()[:80]}"
        for path in tracked_texts()
        for number, line in enumerate((ROOT / path).read_text().splitlines(), 1)
        if re.search(pattern, line)
    ]
    assert not found, f"say {INSTEAD[pattern]}:\n" + "\n".join(found)


SUBJECT = re.compile(
    r"""(^\s*|[.:;!]\**\s+|(\#+|--|//|/\*\*?|\*|"{3}|\|)\s*\**)
    (What|Who|Whoever|Whatever|Nobody|No\ one)\b(?![^.]*\?)""",
    re.VERBOSE,
)


@pytest.mark.quick  # git
def test_a_sentence_names_its_subject() -> None:
    """'The functions of a worker', and not 'What a worker may do'.

    A question may ask what and who.
    """
    found = [
        f"{path}:{number}: {line.strip()[:80]}"
        for path in tracked_texts()
        if not path.endswith("wordings.txt")  # sentences of providers
        for number, line in enumerate((ROOT / path).read_text().splitlines(), 1)
        if SUBJECT.search(line) and not (path.endswith(".md") and line.startswith(("#", "|")))
    ]
    assert not found, "name the thing:\n" + "\n".join(found)


@pytest.mark.quick  # git
def test_a_line_of_sql_fits_the_screen() -> None:
    """Ruff has the same bound for comments and docstrings of Python, ESLint for comments of
    TypeScript.
    """
    found = [
        f"{path}:{number}"
        for path in tracked_texts()
        if path.endswith(".sql") and path != "tests/sql/schema.sql"
        for number, line in enumerate((ROOT / path).read_text().splitlines(), 1)
        if len(line) > 100
    ]
    assert not found, "at most 100 characters:\n" + "\n".join(found)
