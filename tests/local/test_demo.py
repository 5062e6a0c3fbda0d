"""The whole system end to end, as `make demo` shows it: app, functions, database, bridge, broker,
worker, storage.
"""

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


def test_three_succeed_one_fails_and_costs_nothing_and_a_purchase_is_refunded(tmp_path: Path) -> None:
    shown = demo(tmp_path / "local")
    assert shown.returncode == 0, shown.stdout + shown.stderr
    for step in ("tap", "accepted", "doorbell", "dispatched", "claimed", "stored", "visible"):
        assert re.search(rf"^ +\d+\.\d ms  {step} ", shown.stdout, re.MULTILINE), (
            f"{step} is not in the timeline"
        )
    balances = re.findall(r"^Credits: (\d+) before, (\d+) after", shown.stdout, re.MULTILINE)
    picture, film, painting, failure = [(int(first), int(second)) for first, second in balances]
    before, _ = picture
    assert picture == (before, before - 1)
    assert film == (before - 1, before - 3)
    assert painting == (before - 3, before - 4)
    assert failure == (before - 4, before - 4)
    assert "Failed: content_rejected" in shown.stdout
    assert 'still there: {"prompt": "a forbidden lighthouse"}' in shown.stdout
    assert "Ledger: hold -1, refund +1" in shown.stdout
    assert f"granted: {before + 96} credits" in shown.stdout
    assert f"revoked: {before - 4} credits" in shown.stdout
    kept = sorted((tmp_path / "pictures").iterdir(), key=lambda path: path.suffix)
    assert [path.suffix for path in kept] == [".jpg", ".jpg", ".mp4"]
    for path in kept[:2]:
        with Image.open(path) as image:
            assert image.size > (100, 100)
    assert "\x1b" not in shown.stdout, "where no person looks, there are lines alone"
    assert alive(tmp_path / "local") == []


def test_a_stack_that_does_not_start_is_one_line_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "local").mkdir()
    (tmp_path / "local" / "stack.json").write_text("{")
    shown = demo(tmp_path / "local")
    assert shown.returncode == 1
    assert "The demo failed: " in shown.stderr
    assert "run `make clean`" in shown.stderr
