"""A missing or malformed setting is named in one line that says where to set it."""

import os
import subprocess
import sys

import pytest

from chaos.process import ROOT
from settings import Settings

pytestmark = pytest.mark.quick

GOOD = {"DATABASE_URL": "postgresql://a:b@127.0.0.1:5432/postgres", "REDIS_URL": "redis://127.0.0.1:6379/0"}


def load(tmp_path: object, **changes: str | None) -> "subprocess.CompletedProcess[str]":
    environment = {name: value for name, value in (GOOD | changes).items() if value is not None}
    return subprocess.run(
        [sys.executable, "-c", "import settings; settings.load().secret('supabase_url'); print('good')"],
        cwd=str(tmp_path),
        env={"PYTHONPATH": str(ROOT), "PATH": os.defpath} | environment,
        capture_output=True,
        text=True,
        timeout=30,
    )


def test_what_is_needed_is_enough(tmp_path: object) -> None:
    assert load(tmp_path, SUPABASE_URL="https://a.supabase.co").stdout == "good\n"


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("DATABASE_URL", None, "is missing"),
        ("REDIS_URL", None, "is missing"),
        ("SUPABASE_URL", None, "is missing"),
        ("DATABASE_URL", "mysql://a", "is wrong"),
        ("DATABASE_URL", "postgresql://a:b@pooler:6543/postgres", "session pooler"),
        ("REDIS_URL", "http://a", "is wrong"),
        ("SUPABASE_URL", "a.supabase.co", "is wrong"),
        ("LEASE_SECONDS", "0", "is wrong"),
        ("DISPATCH_WINDOW", "many", "is wrong"),
        ("HEALTH_PORT", "70000", "is wrong"),
        ("WORKER_THREADS", "0", "is wrong"),
        ("LOG_LEVEL", "LOUD", "is wrong"),
        ("LOG_FORMAT", "xml", "is wrong"),
    ],
)
def test_a_bad_setting_is_one_line(tmp_path: object, name: str, value: str | None, says: str) -> None:
    seen = load(tmp_path, **{name: value})
    assert seen.returncode != 0
    (line,) = seen.stderr.splitlines()
    assert line.startswith(name)
    assert says in line
    assert ".env" in line


@pytest.mark.parametrize("url", ["https://a.supabase.co", "https://a.supabase.co/"])
def test_a_slash_at_the_end_of_a_url_is_not_doubled(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (GOOD | {"SUPABASE_URL": url}).items():
        monkeypatch.setenv(name, value)
    settings = Settings(_env_file=None)  # type: ignore[call-arg]
    assert settings.webhook_url == "https://a.supabase.co/functions/v1/provider_webhook"
