"""A client must name the columns of jobs that it reads: the other columns are internal."""

import re
from typing import Any

import psycopg
import pytest

from local.stack import ROOT, Stack
from tests.gateway.test_supabase_js import run

READABLE = [
    *("id", "user_id", "model_id", "input", "status", "cost", "progress", "error_code", "error_message"),
    *("created_at", "started_at", "finished_at", "updated_at"),
]


@pytest.fixture(scope="module")
def said(gateway: Stack) -> dict[str, Any]:
    return run(gateway, "supabase_js_jobs.ts")


def test_all_columns_at_once_are_refused_as_postgrest_does(said: dict[str, Any]) -> None:
    assert said["whole"] == {
        "status": 403,
        "data": None,
        "code": "42501",
        "message": "permission denied for table jobs",
        "details": None,
        "hint": None,
    }


def test_named_columns_are_the_cure(said: dict[str, Any]) -> None:
    assert said["ofApp"] == ["id", "model", "input", "status", "progress", "created_at", "updated_at"]
    assert said["readable"] == READABLE


def test_the_machine_s_columns_are_neither_read_nor_asked_for(said: dict[str, Any]) -> None:
    assert set(said["hidden"].values()) == {"42501"}
    assert said["filtered"] == "42501"


def test_the_grant_is_what_the_documents_say(gateway: Stack) -> None:
    granted = """
      select column_name from information_schema.column_privileges
      where table_schema = 'public' and table_name = 'jobs' and grantee = 'authenticated'
        and privilege_type = 'SELECT'
    """
    with psycopg.connect(gateway.database_url) as conn:
        assert {name for (name,) in conn.execute(granted)} == set(READABLE)


@pytest.mark.parametrize("name", ["docs/architecture.md", "docs/openapi.yaml"])
def test_each_document_names_the_columns(name: str) -> None:
    listed = r",\s+".join(f"`{column}`" for column in READABLE[:-1])
    assert re.search(rf"{listed}(?:,|\s+and)\s+`{READABLE[-1]}`", (ROOT / name).read_text())
