"""The output of the demo: lines that are redrawn as something happens, and pictures.

A pipe gets plain lines.
"""

import io
import os
import shutil
import sys
from collections.abc import Sequence

from PIL import Image

PICTURE_WIDTH = 56  # columns; most terminals have 80
HALF = "▀"  # the upper half of a cell in one colour, the lower half in another: two pixels
RESET = "\x1b[0m"
TRUE_COLOUR = {"truecolor", "24bit"}


class Terminal:
    def __init__(self) -> None:
        out = sys.stdout
        is_plain = os.environ.get("TERM", "dumb") == "dumb" or "NO_COLOR" in os.environ
        self.draws = out.isatty() and not is_plain and "utf" in (out.encoding or "").lower()
        self.has_all_colours = os.environ.get("COLORTERM") in TRUE_COLOUR
        self.height = 0  # in lines, of the last drawing, which may be redrawn

    def say(self, *lines: str) -> None:
        """Print lines that stay. They replace the last drawing."""
        print(self.place(lines), end="\n" if lines else "", flush=True)
        self.height = 0

    def draw(self, *lines: str) -> None:
        """Draw lines that the next output replaces. Without a terminal nothing is drawn."""
        if self.draws:
            columns = shutil.get_terminal_size().columns
            print(self.place([cut(line, columns) for line in lines]), flush=True)
            self.height = len(lines)

    def place(self, lines: Sequence[str]) -> str:
        above = f"\x1b[{self.height}F\x1b[J" if self.height else ""
        return above + "\n".join(lines)

    def bold(self, text: str) -> str:
        return f"\x1b[1m{text}{RESET}" if self.draws else text

    def pictures(self, *files: bytes) -> list[str]:
        """Return the pictures side by side, as lines. Without a terminal there are none."""
        return self.side_by_side([Image.open(io.BytesIO(file)) for file in files]) if self.draws else []

    def side_by_side(self, images: Sequence[Image.Image]) -> list[str]:
        columns, rows = shutil.get_terminal_size()
        # A drawing higher than the window cannot be redrawn.
        width = max(8, min(PICTURE_WIDTH, columns - 4, 2 * rows - 8) // len(images) - 1)
        parts = [self.blocks(image, width) for image in images]
        return ["  " + " ".join(row) for row in zip(*parts, strict=False)]

    def blocks(self, image: Image.Image, width: int) -> list[str]:
        height = max(2, round(width * image.height / image.width / 2) * 2)
        pixels = image.convert("RGB").resize((width, height), Image.Resampling.LANCZOS)
        rows = range(0, height, 2)
        return ["".join(self.cell(pixels, x, y) for x in range(width)) + RESET for y in rows]

    def cell(self, pixels: Image.Image, x: int, y: int) -> str:
        upper, lower = (self.colour(pixels.getpixel((x, row))) for row in (y, y + 1))
        return f"\x1b[38;{upper};48;{lower}m{HALF}"

    def colour(self, pixel: object) -> str:
        parts: tuple[int, int, int] = pixel  # type: ignore[assignment]  # the picture is RGB
        if self.has_all_colours:
            return "2;{};{};{}".format(*parts)
        red, green, blue = (round(part / 51) for part in parts)  # the cube of 6 x 6 x 6
        return f"5;{16 + 36 * red + 6 * green + blue}"


def cut(line: str, columns: int) -> str:
    """Cut a line to the width of the terminal, because a wrapped line would take two.

    A line with colours is not cut: it has the right width already.
    """
    return line if "\x1b" in line or len(line) < columns else f"{line[: columns - 2]}…"
