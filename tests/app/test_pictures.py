"""The parts of `make pictures`: one film and one wall of the app, and a terminal as a page."""

from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser

from tests.app import pictures, terminal
from tests.app.system import System

RED_ABOVE_BLUE = "\x1b[38;2;255;0;0;48;2;0;0;255m▀\x1b[0m"


def test_a_tap_is_filmed_and_a_wall_is_drawn(
    browser: Browser, site: str, system: System, tmp_path: Path
) -> None:
    pictures.draw_app(browser, site, system, "dark", tmp_path, pictures.PROMPTS[:1])
    with Image.open(tmp_path / "tap-dark.webp") as film:
        assert getattr(film, "n_frames", 1) > 5
        assert film.height > film.width
    with Image.open(tmp_path / "wall-dark.webp") as wall:
        assert wall.width > wall.height


@pytest.mark.quick  # an echo
def test_a_terminal_shows_what_stays_in_its_colours() -> None:
    drawn = f"before\\n{terminal.BEGIN}\\n  1 ms\\n\x1b[1F\x1b[J  2 ms <tap>\\n{RED_ABOVE_BLUE}\\n"
    page = terminal.as_html(terminal.shown_by(["printf", drawn]))
    assert f">{terminal.BEGIN}\n  2 ms &lt;tap&gt;\n<span" in page
    assert "rgb(255,0,0) 50%,rgb(0,0,255) 50%" in page
    assert "1 ms" not in page and "before" not in page
