"""A missing or malformed setting is named in one line, with the place to set it."""

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from settings import VERSION, Settings
from tests.support.processes import ROOT

pytestmark = pytest.mark.quick

LOADED = """
import sys
import settings
settings.load().require(sys.argv[1])
print('good')
"""
GOOD = {
    "DATABASE_URL": "postgresql://a:b@127.0.0.1:5432/postgres",
    "REDIS_URL": "redis://127.0.0.1:6379/0",
    "SUPABASE_URL": "https://a.supabase.co",
    "SUPABASE_SECRET_KEY": "sb_secret_of_the_tests",
}


def load(
    tmp_path: object, process: str = "worker", **changes: str | None
) -> "subprocess.CompletedProcess[str]":
    environment = {name: value for name, value in (GOOD | changes).items() if value is not None}
    return subprocess.run(
        [sys.executable, "-c", LOADED, process],
        cwd=str(tmp_path),
        env={"PYTHONPATH": str(ROOT), "PATH": os.defpath} | environment,
        capture_output=True,
        text=True,
        timeout=30,
    )


def test_the_version_is_the_one_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["version"] == VERSION
    assert json.loads((ROOT / "app" / "package.json").read_text())["version"] == VERSION
    assert f"\n  version: {VERSION}\n" in (ROOT / "docs" / "openapi.yaml").read_text()


def test_the_required_settings_are_enough(tmp_path: object) -> None:
    assert load(tmp_path).stdout == "good\n"


def test_a_bridge_needs_no_storage(tmp_path: object) -> None:
    without: dict[str, str | None] = {"SUPABASE_URL": None, "SUPABASE_SECRET_KEY": ""}
    assert load(tmp_path, "bridge", **without).stdout == "good\n"
    assert load(tmp_path, "worker", **without).returncode == 2


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("BRIDGE_DATABASE_URL", "mysql://a", "is wrong"),
        ("WORKER_DATABASE_URL", "postgresql://a:b@pooler:6543/postgres", "session pooler"),
        ("REDIS_URL", None, "is missing"),
        ("SUPABASE_URL", None, "is missing"),
        ("DATABASE_URL", "mysql://a", "is wrong"),
        ("DATABASE_URL", "postgresql://a:b@pooler:6543/postgres", "session pooler"),
        ("REDIS_URL", "http://a", "is wrong"),
        ("SUPABASE_URL", "a.supabase.co", "is wrong"),
        ("SUPABASE_URL", "https://a.supabase.co/rest/v1", "address alone"),
        ("SUPABASE_URL", "https://supabase.com/dashboard/project/abc", "address alone"),
        ("CELERY_BROKER_URL", "redis://other", "takes its place"),
        ("LEASE_SECONDS", "0", "is wrong"),
        ("LEASE_SECONDS", "inf", "is wrong"),
        ("SHUTDOWN_SECONDS", "nan", "is wrong"),
        ("DISPATCH_WINDOW", "100000000000000000000", "is wrong"),
        ("EXPO_PUSH_URL", "https://", "names no host"),
        ("REPLICATE_API_TOKEN", "whsec_abc", "begins with r8_"),
        ("REPLICATE_WEBHOOK_URL", "http://example.com/webhook", "https alone"),
        ("DISPATCH_WINDOW", "many", "is wrong"),
        ("HEALTH_PORT", "70000", "is wrong"),
        ("WORKER_THREADS", "0", "is wrong"),
        ("LOG_LEVEL", "LOUD", "is wrong"),
        ("LOG_FORMAT", "xml", "is wrong"),
    ],
)
def test_a_bad_setting_is_one_line(tmp_path: object, name: str, value: str | None, says: str) -> None:
    changes: dict[str, str | None] = {name: value}
    seen = load(tmp_path, "worker", **changes)
    assert seen.returncode == 2
    (line,) = seen.stderr.splitlines()
    assert line.startswith("REDIS_URL" if name.startswith("CELERY") else name)
    assert says in line
    assert ".env" in line


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"REDIS_URL=redis://h\xff")
    seen = load(tmp_path)
    assert (seen.returncode, seen.stderr) == (
        2,
        ".env cannot be read (it is no text in UTF-8): correct it.\n",
    )


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://a:b@db.other.supabase.co:5432/postgres",
        "postgresql://a.other:b@aws-0-eu-central-1.pooler.supabase.com:5432/postgres",
    ],
)
def test_a_database_of_another_project_is_named(tmp_path: object, url: str) -> None:
    seen = load(tmp_path, "worker", WORKER_DATABASE_URL=url)
    assert "another project than WORKER_DATABASE_URL" in seen.stderr
    assert load(tmp_path, "worker", WORKER_DATABASE_URL=url.replace("other", "a")).stdout == "good\n"


def test_without_a_database_url_the_one_of_the_process_is_asked_for(tmp_path: object) -> None:
    seen = load(tmp_path, "bridge", DATABASE_URL=None)
    (line,) = seen.stderr.splitlines()
    assert seen.returncode == 2
    assert line.startswith("BRIDGE_DATABASE_URL is missing: set it, or DATABASE_URL, in .env")


def test_the_login_of_a_process_comes_before_the_common_one(monkeypatch: pytest.MonkeyPatch) -> None:
    own = {"WORKER_DATABASE_URL": "postgresql://w:x@127.0.0.1:5432/postgres"}
    for name, value in (GOOD | own).items():
        monkeypatch.setenv(name, value)
    settings = Settings(_env_file=None)  # type: ignore[call-arg]
    assert settings.database("worker") == own["WORKER_DATABASE_URL"]
    assert settings.database("bridge") == GOOD["DATABASE_URL"]


@pytest.mark.parametrize("url", ["https://a.supabase.co", "https://a.supabase.co/"])
def test_a_slash_at_the_end_of_a_url_is_not_doubled(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (GOOD | {"SUPABASE_URL": url}).items():
        monkeypatch.setenv(name, value)
    settings = Settings(_env_file=None)  # type: ignore[call-arg]
    assert settings.webhook_url == "https://a.supabase.co/functions/v1/provider_webhook"
