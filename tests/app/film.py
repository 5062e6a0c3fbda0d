"""A film of one page on a phone, as fast as it really was, as an animated WebP."""

import io
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw
from playwright.sync_api import Locator, Page

LONGEST = 30.0  # seconds; a bound for what hangs
LAST = 2500  # milliseconds for which the last picture stays before the film begins anew
BEZEL, ROUND, FINGER = 12, 46, 24  # pixels
CASE, RIM, TOUCH = (28, 26, 25, 255), (110, 104, 100, 255), (120, 120, 120, 150)


@dataclass(frozen=True, slots=True)
class FilmFrame:
    at: float
    png: bytes
    touched: tuple[float, float] | None = None


class Film:
    def __init__(self, page: Page) -> None:
        self.page = page
        self.frames: list[FilmFrame] = []

    def shoot(self, touched: tuple[float, float] | None = None) -> None:
        png = self.page.screenshot(scale="css")
        if touched or not self.frames or self.frames[-1].png != png or self.frames[-1].touched:
            self.frames.append(FilmFrame(time.monotonic(), png, touched))

    def keep_still(self, seconds: float) -> None:
        """Go on for so long; what does not move adds no frame."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.shoot()

    def until(self, condition: Callable[[], object]) -> None:
        end = time.monotonic() + LONGEST
        while not condition():
            assert time.monotonic() < end, "what was filmed did not happen"
            self.shoot()

    def tap(self, button: Locator) -> None:
        """With a finger that a watcher sees."""
        box = button.bounding_box()
        assert box is not None
        self.shoot((box["x"] + box["width"] / 2, box["y"] + box["height"] / 2))
        button.click()

    def save(self, path: Path, most: int) -> None:
        pictures = [on_a_phone(frame) for frame in self.frames]
        ends = [frame.at for frame in self.frames[1:]]
        lasting = [
            max(20, round((end - frame.at) * 1000)) for frame, end in zip(self.frames, ends, strict=False)
        ]
        first, *others = pictures
        first.save(
            path, "WEBP", save_all=True, append_images=others, duration=[*lasting, LAST], loop=0,
            quality=62, method=4, minimize_size=True,
        )  # fmt: skip
        if (size := path.stat().st_size) > most:
            raise SystemExit(f"{path} has {size} bytes; {most} are the most.")


def on_a_phone(frame: FilmFrame) -> Image.Image:
    """The screen inside a case with round corners, and nothing around it."""
    with Image.open(io.BytesIO(frame.png)) as shot:
        screen = shot.convert("RGBA")
    if frame.touched:
        x, y = frame.touched
        over = Image.new("RGBA", screen.size)
        ImageDraw.Draw(over).ellipse(
            (x - FINGER, y - FINGER, x + FINGER, y + FINGER), fill=TOUCH, outline=RIM
        )
        screen = Image.alpha_composite(screen, over)
    width, height = screen.size
    phone = Image.new("RGBA", (width + 2 * BEZEL, height + 2 * BEZEL))
    phone.paste(RIM, mask=rounded(phone.size, ROUND))
    phone.paste(CASE, (1, 1), rounded((width + 2 * BEZEL - 2, height + 2 * BEZEL - 2), ROUND - 1))
    phone.paste(screen, (BEZEL, BEZEL), rounded(screen.size, ROUND - BEZEL))
    return phone


def rounded(size: tuple[int, int], radius: int) -> Image.Image:
    """A mask, drawn four times as large so that its corners are smooth."""
    width, height = size
    mask = Image.new("L", (4 * width, 4 * height))
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, 4 * width - 1, 4 * height - 1), 4 * radius, fill=255)
    return mask.resize(size, Image.Resampling.LANCZOS)
