"""What can be used is written down, under the name it has."""

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


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([a-z./_-]+\.(?:md|yaml))", DOCS))))
def test_every_link_leads_somewhere(link: str) -> None:
    assert any((folder / link).exists() for folder in (ROOT, ROOT / "docs", ROOT / "app"))
