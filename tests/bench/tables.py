"""The tables that a measuring target of the Makefile prints."""

import math
import re
from dataclasses import dataclass

from tests.support.make import make


def measured(target: str, arguments: str) -> str:
    """The output of a target that succeeds."""
    ended = make(target, ARGS=arguments)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


@dataclass(frozen=True, slots=True)
class PrintedTable:
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


def tables(text: str) -> list[PrintedTable]:
    found = []
    for block in re.findall(r"(?:^\|.*\|\n)+", text, re.MULTILINE):
        columns, rule, *rows = [
            [cell.strip() for cell in line[1:-1].split("|")] for line in block.splitlines()
        ]
        found.append(PrintedTable(columns, [cell.endswith(":") for cell in rule], rows))
    return found
