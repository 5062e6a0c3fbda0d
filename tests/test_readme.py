"""The README shows code as it stands in the sources, section by section."""

import re
from pathlib import Path

import pytest

from local.timeline import MEANING

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
EXCERPTS = re.findall(r"<!-- excerpt: (\S+) -->\n```\w+\n(.*?)```", README, re.DOTALL)
OMISSION = "…"


@pytest.mark.parametrize(("path", "code"), EXCERPTS, ids=[path for path, _ in EXCERPTS])
def test_an_excerpt_is_what_its_source_says(path: str, code: str) -> None:
    """Every line, in this order; a line of `…` stands for what is left out, anywhere else nothing
    is.
    """
    source = [line.strip() for line in (ROOT / path).read_text().splitlines()]
    parts = [
        [line.strip() for line in part.splitlines()]
        for part in re.split(rf"^ *{OMISSION}.*\n", code, flags=re.M)
    ]
    position = 0
    for part in parts:
        found = [start for start in range(position, len(source)) if source[start : start + len(part)] == part]
        assert found, f"{path} has no longer, in one piece:\n" + "\n".join(part)
        position = found[0] + len(part)


@pytest.mark.parametrize(
    "section", ["A. Architecture", "B. Migrations", "C. Edge Functions", "D. Expo integration", "E. Worker"]
)
def test_each_section_shows_its_key_code(section: str) -> None:
    text = README.split(f"## {section}\n")[1].split("\n## ")[0]
    assert "<!-- excerpt: " in text or "```text" in text


def test_the_timeline_is_the_one_that_the_demo_prints() -> None:
    shown = re.findall(r"^ +\d+\.\d ms  (\w+) +(.*?)  \[(.*?)\]$", README, re.MULTILINE)
    assert {step for step, _, _ in shown} == set(MEANING)
    for step, meaning, source in shown:
        assert MEANING[step] == (source, meaning)
