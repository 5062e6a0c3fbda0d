"""What providers say, and what it means for the user, for the next attempt and for the log."""

from pathlib import Path

import pytest

from tasks.providers import errors

pytestmark = pytest.mark.quick


def wordings() -> list[tuple[str, str]]:
    """Every line of `wordings.txt` with the heading above it."""
    found, meaning = [], ""
    for line in Path(__file__).with_name("wordings.txt").read_text().splitlines():
        if line.startswith("# "):
            meaning = line.removeprefix("# ")
        elif line:
            found.append((line, meaning))
    return found


@pytest.mark.parametrize(("text", "meaning"), wordings())
def test_a_text_means(text: str, meaning: str) -> None:
    assert errors.meaning_of(text) == meaning
