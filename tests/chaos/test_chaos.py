"""A short run of the harness: every kind of fault once, and no promise broken."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.processes import ROOT

pytestmark = pytest.mark.processes


def test_every_kind_of_fault_breaks_no_promise(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    command = [sys.executable, "-m", "tests.chaos", "--seed", "1", "--requests", "100", "--faults", "22"]
    run = subprocess.run([*command, "--rate", "4"], cwd=ROOT, capture_output=True, text=True, timeout=400)
    assert run.returncode == 0, run.stdout + run.stderr
