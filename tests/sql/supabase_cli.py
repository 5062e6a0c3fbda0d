"""The real Supabase CLI, installed once from its lock file; its folder has only our migrations."""

import fcntl
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from local.stack import ROOT
from operate.migrate import MIGRATIONS

REQUIREMENTS = ROOT / "requirements" / "supabase-cli"
INSTALLED = ROOT / ".pilotlight" / "supabase-cli"
PROGRAM = INSTALLED / "node_modules" / ".bin" / "supabase"
# node and npm are in our environment.
PROGRAMS = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"


def install() -> None:
    """Install the CLI. If it is unavailable, skip the test; in CI that is a failure."""
    INSTALLED.mkdir(parents=True, exist_ok=True)
    with (INSTALLED / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests run in parallel, and one of them installs
        install_once()


def install_once() -> None:
    lock = REQUIREMENTS / "package-lock.json"
    installed_lock = INSTALLED / lock.name
    if not PROGRAM.exists() or installed_lock.read_text() != lock.read_text():
        for path in REQUIREMENTS.iterdir():
            shutil.copy(path, INSTALLED)
        # `npm ci` would require the binary of every platform in the lock file.
        command = ["npm", "install", "--no-save", "--no-audit", "--no-fund"]
        made = subprocess.run(
            command, cwd=INSTALLED, env=os.environ | {"PATH": PROGRAMS}, capture_output=True, text=True
        )
        if made.returncode != 0 or not PROGRAM.exists():
            installed_lock.unlink(missing_ok=True)
            reason = f"the Supabase CLI could not be installed: {made.stderr[-500:]}"
            pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)


class SupabaseCli:
    def __init__(self, folder: Path, migrations: list[Path]) -> None:
        self.folder = folder
        shutil.copytree(
            ROOT / "supabase",
            folder / "supabase",
            ignore=shutil.ignore_patterns("functions", "migrations", ".*"),
        )
        (folder / "supabase" / "migrations").mkdir()
        for path in migrations:
            shutil.copy(path, folder / "supabase" / "migrations")

    def run(self, *arguments: str) -> dict[str, Any]:
        """Run a command, and return its answer from JSON. It can reach only this machine."""
        nowhere = "http://127.0.0.1:9"
        environment = {
            "PATH": PROGRAMS, "HOME": str(self.folder), "DO_NOT_TRACK": "1",
            "HTTP_PROXY": nowhere, "HTTPS_PROXY": nowhere, "NO_PROXY": "127.0.0.1",
        }  # fmt: skip
        command = [str(PROGRAM), *arguments, "--output-format", "json"]
        done = subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stdout + done.stderr
        answer = json.loads(done.stdout)
        assert isinstance(answer, dict)
        return answer

    def push(self, database_url: str) -> None:
        self.run("db", "push", f"--remote={database_url}", "--yes")

    def advice(self, database_url: str, level: str) -> list[dict[str, str]]:
        results = self.run("db", "advisors", f"--remote={database_url}", "--level", level)["results"]
        assert isinstance(results, list)
        return results


def migrations(first: int | None = None) -> list[Path]:
    return sorted(MIGRATIONS.glob("*.sql"))[:first]
