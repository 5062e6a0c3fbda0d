"""Every public name is documented under its name."""

import re
from pathlib import Path

import pytest

from settings import Settings

ROOT = Path(__file__).parent.parent
DOCS = "\n".join(
    path.read_text()
    for path in [
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        ROOT / "app" / "README.md",
        *(ROOT / "docs").glob("*.md"),
    ]
)
MIGRATIONS = "\n".join(path.read_text() for path in sorted((ROOT / "supabase" / "migrations").glob("*.sql")))
TARGETS = re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE)
GRANTED = re.findall(
    r"(?:private|public)\.([a-z_]+)\([^)]*\),?\s*(?=\bprivate\.|\bto (?:generation_|authenticated|service_role))",
    MIGRATIONS,
)


def test_something_is_found_to_be_documented() -> None:
    assert "demo" in TARGETS
    assert {"claim_jobs", "dispatch_jobs", "enqueue_generation", "grant_credits"} <= set(GRANTED)


@pytest.mark.parametrize("target", sorted(set(TARGETS)))
def test_every_make_target_has_its_own_line_in_help(target: str) -> None:
    assert TARGETS.count(target) == 1


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_every_setting_is_in_the_example(name: str) -> None:
    assert re.search(rf"^(# )?{name.upper()}=", (ROOT / ".env.example").read_text(), re.MULTILINE)


@pytest.mark.parametrize("function", sorted(set(GRANTED)))
def test_every_function_that_a_role_may_execute_is_described(function: str) -> None:
    assert f"`{function}" in DOCS


@pytest.mark.parametrize(
    "code", re.findall(r"'([a-z_]+)'", MIGRATIONS.split("create type public.error_code")[1].split(";")[0])
)
def test_every_way_to_fail_is_described(code: str) -> None:
    assert f"| `{code}` |" in DOCS


PAGES = [
    *(
        ROOT / name
        for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "app/README.md")
    ),
    *(ROOT / "local").glob("*.md"),
    *(ROOT / "docs").glob("*.md"),
]


def anchors(page: Path) -> set[str]:
    """As GitHub makes them of headings."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)", page.read_text())
    links += [(path, "") for path in re.findall(r'\bsrc(?:set)?="([^"]+)"', page.read_text())]
    for path, anchor in links:
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), path
        assert not anchor or anchor in anchors(target), f"{path}#{anchor}"


@pytest.mark.parametrize("page", sorted((ROOT / "docs").glob("*.md")), ids=lambda page: page.name)
def test_a_page_begins_with_its_reader(page: Path) -> None:
    assert re.match(r"# .+\n\nFor (an|the|a) ", page.read_text())


def test_the_diagram_has_the_transitions_of_the_state_machine() -> None:
    arrows = re.findall(
        r"^  (\w+) --> (\w+):", (ROOT / "docs" / "job-lifecycle.md").read_text(), re.MULTILINE
    )
    states = MIGRATIONS.split("create type public.job_status as enum (")[1].split(");")[0]
    named = re.findall(r"'(\w+)', +-- -> ([\w, ]+)", states)
    assert sorted(arrows) == sorted((state, end) for state, ends in named for end in ends.split(", "))


def test_the_eight_files_from_the_tap_to_the_picture_have_what_is_said_of_them() -> None:
    steps = re.findall(r"^\d\. `([^`]+)`: (.*)$", (ROOT / "CONTRIBUTING.md").read_text(), re.MULTILINE)
    assert len(steps) == 8
    for path, said in steps:
        text = (ROOT / path).read_text()
        assert all(name in text for name in re.findall(r"`(\w+)`", said)), path


def test_decisions_stay_few() -> None:
    assert (ROOT / "docs" / "decisions.md").read_text().count("\n## ") <= 15
