"""`python -m tests.app.pictures`: the pictures of the README, from the real system, into
docs/pictures/.

The app in Chromium, light and dark: a tap, its placeholder and its picture as a film, and a wall.
And the terminal of `make demo`. It fails when a file would be too large for a page that
people open.
"""

import io
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, ViewportSize, expect, sync_playwright

from bench.report import machine
from local.stack import ROOT
from tests.app import site as sites
from tests.app import system as systems
from tests.app import terminal
from tests.app.chromium import LACK, OPTIONS, executable
from tests.app.film import Film
from tests.app.phone import IS_PAINTED, LONGEST_WAIT_MS, Phone, Screen, switched_on
from tests.app.system import System

FOLDER = ROOT / "docs" / "pictures"
SCHEMES = ("light", "dark")
FADE_MS = 600  # a picture is there before it can be seen
LARGEST_STILL, LARGEST_FILM = 150_000, 600_000  # bytes
WALL = ViewportSize(width=1180, height=760)

PROMPTS = (
    "A castle on a hill in the evening",
    "A sailing boat at sunrise",
    "A fox in a snowy forest",
    "Mountains at night under northern lights",
    "A meadow of flowers at noon",
    "A lighthouse at dusk",
    "A village in the rain",
    "A hot air balloon over a lake in the morning",
)
PROMPT = "A lighthouse in a storm at night"

# As a real model is: the user's input has no `seconds`, and the model takes three.
SLOW = """
update private.models
set defaults = '{"seconds": 3}', input_schema = input_schema #- '{properties,seconds}'
where id = 'preview' returning id
"""

CAPTION = """\
# Pictures

Made by `make pictures` from the real system, never by hand: {machine}

| file | shows |
|---|---|
| `tap-light.webp`, `tap-dark.webp` | a tap and its picture, as fast as it was; the model takes three seconds |
| `wall-light.webp`, `wall-dark.webp` | the same app in a wide window |
| `demo.webp` | the last scenes of `make demo` in a terminal |
"""


def main() -> None:
    chromium = executable()
    if chromium is None:
        raise SystemExit(LACK)
    expect.set_options(timeout=LONGEST_WAIT_MS)
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # Postgres does not run as root, and enters it as another user
        # The paths that it prints are those of a person in a clone.
        demo = [sys.executable, "-m", "local.demo", "--folder", ".pilotlight/local"]
        shown = terminal.shown_by(demo, Path(folder).resolve())
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=OPTIONS)
            draw_demo(browser, shown, FOLDER)
            with systems.running(Path(folder)) as system:
                sites.make()
                system.query(SLOW)
                with sites.served(system) as site:
                    for scheme in SCHEMES:
                        draw_app(browser, site, system, scheme, FOLDER, PROMPTS)
            browser.close()
    (FOLDER / "README.md").write_text(CAPTION.format(machine=machine()))
    subprocess.run(["ls", "-l", str(FOLDER)], check=True)


def draw_demo(browser: Browser, shown: str, folder: Path) -> None:
    page = browser.new_page(device_scale_factor=1.5)
    page.set_content(terminal.as_html(shown))
    still(page.locator("pre").screenshot, folder / "demo.webp", quality=70)
    page.close()


def draw_app(
    browser: Browser, site: str, system: System, scheme: str, folder: Path, prompts: tuple[str, ...]
) -> None:
    with switched_on(browser, site, color_scheme=scheme) as phone:
        screen = phone.start().open()
        system.query("select public.grant_credits(%s, 40, 'for pictures', %s)", screen.user_id(), scheme)
        screen.expect_joined()
        for job_id in [screen.ask(prompt) for prompt in prompts]:
            screen.expect_picture(job_id)
        film_a_tap(phone, folder / f"tap-{scheme}.webp")
        screen.page.set_viewport_size(WALL)
        screen.expect_picture(screen.ids()[0])
        screen.page.wait_for_load_state("networkidle")
        screen.page.wait_for_timeout(FADE_MS)
        still(screen.page.screenshot, folder / f"wall-{scheme}.webp", quality=78)


def film_a_tap(phone: Phone, path: Path) -> None:
    screen = phone.start().open()
    screen.expect_joined()
    screen.until(lambda: is_painted(screen, screen.ids()[0]), "the wall")
    screen.page.wait_for_timeout(FADE_MS)
    known = screen.ids()
    film = Film(screen.page)
    film.keep_still(0.6)
    screen.prompt.click()
    for part in words(PROMPT):
        screen.page.keyboard.type(part)
        film.shoot()
    film.tap(screen.generate)
    film.until(lambda: screen.ids()[:1] != known[:1])
    job_id = screen.ids()[0]
    film.until(lambda: is_painted(screen, job_id))
    film.keep_still(1.0)
    film.save(path, LARGEST_FILM)
    screen.page.close()


def words(text: str) -> list[str]:
    return [f"{word} " for word in text.split()]


def is_painted(screen: Screen, job_id: str) -> bool:
    return bool(screen.card(job_id).evaluate(IS_PAINTED))


def still(take: Callable[..., bytes], path: Path, quality: int) -> None:
    with Image.open(io.BytesIO(take())) as image:
        image.convert("RGB").save(path, "WEBP", quality=quality, method=6)
    if (size := path.stat().st_size) > LARGEST_STILL:
        raise SystemExit(f"{path} has {size} bytes; {LARGEST_STILL} are the most.")


if __name__ == "__main__":
    main()
