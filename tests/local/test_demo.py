"""The whole system end to end, as `make demo` shows it: app, functions, database, bridge, broker, worker, storage."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from local.stack import ROOT
from tests.support.up import alive

pytestmark = pytest.mark.processes


def demo(folder: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "local.demo", "--folder", str(folder)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=180)


def test_a_generation_succeeds_and_another_fails_and_costs_nothing(tmp_path: Path) -> None:
    shown = demo(tmp_path / "local")
    assert shown.returncode == 0, shown.stdout + shown.stderr
    for step in ("tap", "accepted", "doorbell", "dispatched", "claimed", "stored", "visible"):
        assert re.search(rf"^ +\d+\.\d ms  {step} ", shown.stdout, re.MULTILINE), (
            f"{step} is not in the timeline"
        )
    balances = re.findall(r"^Credits: (\d+) before, (\d+) after", shown.stdout, re.MULTILINE)
    (before, after), (kept, still) = [(int(first), int(second)) for first, second in balances]
    assert (after, kept, still) == (before - 1, before - 1, before - 1)
    assert "Failed: content_rejected" in shown.stdout
    assert 'still there: {"prompt": "a forbidden lighthouse"}' in shown.stdout
    (picture,) = (tmp_path / "pictures").iterdir()
    with Image.open(picture) as image:
        assert image.size > (100, 100)
    assert alive(tmp_path / "local") == []


def test_a_stack_that_does_not_start_is_one_line_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "local").mkdir()
    (tmp_path / "local" / "stack.json").write_text("{")
    shown = demo(tmp_path / "local")
    assert shown.returncode == 1
    assert "The demo failed: " in shown.stderr
    assert "run `make clean`" in shown.stderr
