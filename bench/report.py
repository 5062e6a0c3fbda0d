"""What a bench measured, as tables in markdown: on stdout, and with --output in a file as well."""

import argparse
import os
import platform
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

Cell = str | float


class Report:
    """Prints each table as soon as it is measured. The file is written last: a bench that fails keeps the old one."""

    def __init__(self, output: Path | None) -> None:
        self.output, self.text = output, ""

    def title(self, text: str) -> None:
        self.write(f"# {text}\n\n{machine()}\n")

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> None:
        """Numbers stand to the right, as in the first row."""
        cells = list(rows)
        rule = ["---" if isinstance(one, str) else "---:" for one in cells[0]]
        lines = [columns, rule, *(map(cell, row) for row in cells)]
        self.write("".join(f"\n| {' | '.join(line)} |" for line in lines) + "\n")

    def write(self, text: str) -> None:
        print(text, end="", flush=True)
        self.text += text

    def save(self) -> None:
        if self.output is not None:
            self.output.write_text(self.text)


def cell(value: Cell) -> str:
    """Three figures or more: what is measured on a busy machine is not worth others."""
    if isinstance(value, str):
        return value
    return f"{value:.2f}" if isinstance(value, float) and abs(value) < 100 else f"{value:,.0f}"


def machine() -> str:
    python, system = platform.python_version(), f"{platform.system()} {platform.machine()}"
    return f"{system}, {os.cpu_count()} cores, Python {python}."


def percentile(values: Iterable[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[int((len(ordered) - 1) * share + 0.5)]


def command_line(description: str | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--output", type=writable, metavar="FILE", help="write the tables to this file, too")
    return parser


def writable(name: str) -> Path:
    """Refuse a file that cannot be written now, and not after minutes of measuring."""
    try:
        with open(name, "a"):
            return Path(name)
    except OSError as error:
        raise SystemExit(f"{name} cannot be written: {error.strerror}.") from None


def at_least(smallest: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if int(text) < smallest:
            raise argparse.ArgumentTypeError(f"must be at least {smallest}, not {text}")
        return int(text)

    return number
