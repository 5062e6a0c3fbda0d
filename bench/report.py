"""The results of a bench: printed as they come, and saved in `bench/results/` as JSON.

The pages are made from the JSON.
"""

import argparse
import json
import os
import platform
import subprocess
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from local.stack import ROOT

RESULTS = ROOT / "bench" / "results"
Cell = str | float


class Report:
    """A report that prints each table as soon as it is measured.

    The file is written last, so a bench that fails keeps the old one.
    """

    def __init__(self, name: str, folder: Path) -> None:
        self.name, self.folder = name, folder
        self.blocks: list[dict[str, Any]] = []
        self.heading = name

    def title(self, text: str) -> None:
        self.heading = text
        print(f"# {text}\n\n{machine()}", flush=True)

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[Cell]], key: str | None = None) -> None:
        """Add a table. Charts and docs/performance.md refer to it by `key`."""
        self.add({"columns": list(columns), "rows": [list(row) for row in rows], "key": key})

    def write(self, text: str) -> None:
        self.add({"text": text.strip()})

    def add(self, block: dict[str, Any]) -> None:
        self.blocks.append(block)
        print("\n" + markdown(block), end="", flush=True)

    def save(self, **raw: Any) -> None:
        """Write the JSON and the pages. `raw` has the data that the tables were made of."""
        from bench import page

        content = {"title": self.heading, "machine": machine(), "blocks": self.blocks, **raw}
        (self.folder / f"{self.name}.json").write_text(json.dumps(content, indent=1) + "\n")
        page.render(self.folder)


def markdown(block: dict[str, Any]) -> str:
    """Return a block as Markdown. Columns with a number in the first row are right-aligned."""
    if "text" in block:
        return f"{block['text']}\n"
    rows = block["rows"]
    rule = ["---" if isinstance(one, str) else "---:" for one in rows[0]]
    lines = [block["columns"], rule, *(map(cell, row) for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def cell(value: Cell) -> str:
    """Format a number with about three figures: on a busy machine more would mean nothing."""
    if isinstance(value, str):
        return value
    return f"{value:.2f}" if isinstance(value, float) and abs(value) < 100 else f"{value:,.0f}"


def machine() -> str:
    python, system = platform.python_version(), f"{platform.system()} {platform.machine()}"
    today = datetime.now(UTC).date()
    return f"{system}, {os.cpu_count()} cores, Python {python}, {today}, commit {commit()}."


def commit() -> str:
    """Return the commit, with a `+` if tracked files have changed since."""
    asked = subprocess.run(
        ["git", "describe", "--always", "--dirty=+", "--exclude=*"], cwd=ROOT, capture_output=True, text=True
    )
    return asked.stdout.strip() or "unknown"


def percentile(values: Iterable[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[int((len(ordered) - 1) * share + 0.5)]


def command_line(description: str | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument(
        "--results", type=writable, default=str(RESULTS), metavar="FOLDER", help="where the pages are made"
    )
    return parser


def writable(name: str) -> Path:
    """Refuse an unwritable folder at once, not after minutes of measuring."""
    folder = Path(name)
    if not folder.is_dir():
        raise SystemExit(f"{name} is no folder.")
    if not os.access(folder, os.W_OK):
        raise SystemExit(f"{name} cannot be written to.")
    return folder


def at_least(smallest: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if int(text) < smallest:
            raise argparse.ArgumentTypeError(f"must be at least {smallest}, not {text}")
        return int(text)

    return number
