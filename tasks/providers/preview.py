"""The embedded provider: paints a real picture on this machine, the same one for the same prompt, without a network.

It also plays what a slow or strict model does to an app: a prompt with the word "forbidden" is rejected, and
`"seconds": n` in the input makes it work for that long without holding a worker.
"""

import hashlib
import io
import random
import time

from PIL import Image, ImageDraw, ImageFilter

from tasks.providers.protocol import Done, Pending, Permanent, Started
from tasks.store import Job

SIZE = 768
LONGEST = 600.0


class Preview:
    charges = False

    def start(self, job: Job) -> Done | Started:
        prompt = prompt_of(job)
        if "forbidden" in prompt.lower().split():
            raise Permanent("content_rejected", "This prompt is not allowed.")
        if seconds := seconds_of(job):
            now = time.time()
            return Started(ref=f"preview:{job.id}:{now}:{now + seconds}", check_in=seconds)
        return Done([[paint(prompt)]])

    def find(self, job: Job) -> list[str]:
        return []

    def check(self, job: Job, ref: str) -> Done | Pending:
        begun, due = (float(part) for part in ref.split(":")[2:])
        left = due - time.time()
        if left <= 0:
            return Done([[paint(prompt_of(job))]])
        return Pending(check_in=left, progress=1 - left / (due - begun))

    def cancel(self, ref: str) -> None:
        """Nothing runs anywhere."""


def prompt_of(job: Job) -> str:
    prompt = job.provider_input.get("prompt")
    if not isinstance(prompt, str) or not prompt.strip():
        raise Permanent("invalid_input", "Write a prompt.")
    return prompt


def seconds_of(job: Job) -> float:
    seconds = job.provider_input.get("seconds", 0)
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds <= LONGEST:
        raise Permanent("invalid_input", f"`seconds` is a number from 0 to {LONGEST:.0f}.")
    return float(seconds)


def paint(prompt: str) -> bytes:
    """A PNG of soft coloured lights, deterministic from the prompt."""
    dice = random.Random(hashlib.sha256(prompt.encode()).digest())  # noqa: S311  # a picture, not a secret
    hue = dice.random()
    picture = Image.new("RGB", (SIZE // 4, SIZE // 4), colour(hue, 0.6, 0.25))
    draw = ImageDraw.Draw(picture)
    for _ in range(24):
        x, y, radius = (dice.uniform(-0.1, 1.1) * picture.width for _ in range(3))
        box = (x - radius / 4, y - abs(radius) / 4, x + abs(radius) / 4, y + abs(radius) / 4)
        draw.ellipse(box, fill=colour(hue + dice.uniform(-0.15, 0.15), 0.7, dice.uniform(0.4, 1.0)))
    picture = picture.filter(ImageFilter.GaussianBlur(6)).resize((SIZE, SIZE), Image.Resampling.BICUBIC)
    file = io.BytesIO()
    picture.save(file, "PNG", compress_level=3)
    return file.getvalue()


def colour(hue: float, saturation: float, value: float) -> tuple[int, int, int]:
    pixel = Image.new("HSV", (1, 1), (int(hue % 1 * 255), int(saturation * 255), int(value * 255)))
    red, green, blue = pixel.convert("RGB").getpixel((0, 0))  # type: ignore[misc]
    return red, green, blue
