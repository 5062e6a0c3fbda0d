"""Run a target of the Makefile as a person does, and read the tables that it prints."""

import math
import os
import re
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.support.processes import TOLD_BY_MAKE

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Ended:
    code: int
    stdout: str
    stderr: str


def make(target: str, arguments: str, timeout: float = 600) -> Ended:
    environment = {name: value for name, value in os.environ.items() if name not in TOLD_BY_MAKE}
    with subprocess.Popen(
        ["make", target, f"ARGS={arguments}"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            stdout, stderr = process.communicate(timeout=timeout)
        finally:
            if process.poll() is None:  # the target stops what it has started
                os.killpg(process.pid, signal.SIGTERM)
    return Ended(process.returncode, stdout, stderr)


def measured(target: str, arguments: str) -> str:
    """What a target that succeeds prints."""
    ended = make(target, arguments)
    assert ended.code == 0, ended.stdout + ended.stderr
    return ended.stdout


@dataclass(frozen=True, slots=True)
class Table:
    columns: list[str]
    is_number: list[bool]
    rows: list[list[str]]

    @property
    def names(self) -> list[str]:
        return [row[0] for row in self.rows]

    def figures(self) -> list[float]:
        """Every cell of a column of numbers. A cell without a finite number is an error."""
        cells = [
            cell for row in self.rows for cell, number in zip(row, self.is_number, strict=True) if number
        ]
        figures = [float(cell.replace(",", "")) for cell in cells]
        assert all(map(math.isfinite, figures)), self
        return figures


def tables(text: str) -> list[Table]:
    found = []
    for block in re.findall(r"(?:^\|.*\|\n)+", text, re.MULTILINE):
        columns, rule, *rows = [
            [cell.strip() for cell in line[1:-1].split("|")] for line in block.splitlines()
        ]
        found.append(Table(columns, [cell.endswith(":") for cell in rule], rows))
    return found
