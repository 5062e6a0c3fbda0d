"""Turn a photo into a painting: brush strokes, tinted by the hour that the prompt names."""

import io
import math
from collections.abc import Iterable
from pathlib import Path

from PIL import Image, ImageDraw, ImageFilter, ImageOps, UnidentifiedImageError

import settings
from tasks.providers import download
from tasks.providers.preview.canvas import SIZE, mix, ramp
from tasks.providers.preview.scene import Colour, Scene
from tasks.providers.protocol import BUSY, Permanent, Transient, Unanswered

MAX_PHOTO_BYTES = 10_485_760  # what the gate lets a user upload
MAX_PHOTO_PIXELS = 40_000_000
STROKES = ((16, 1500), (9, 3200), (5, 5200))  # width in pixels, count: from rough to fine


def load(image: object) -> Image.Image:
    """The user's photo, upright and at most SIZE pixels long.

    Args:
        image: A signed URL of our Storage, or a Path, which no JSON of a user can name.
    """
    content = io.BytesIO(read(image))
    try:
        photo = Image.open(content, formats=["PNG", "JPEG", "WEBP"])
        if photo.width * photo.height > MAX_PHOTO_PIXELS:
            raise unreadable()
        photo.thumbnail((SIZE, SIZE))
        return ImageOps.exif_transpose(photo).convert("RGB")
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise unreadable() from error


def chunks_of(image: object) -> Iterable[bytes]:
    if isinstance(image, Path):
        return [image.read_bytes()]
    if not isinstance(image, str) or not download.is_at(image, [settings.load().supabase_url or ""]):
        raise unreadable()
    return download.File(image, {})


def read(image: object) -> bytes:
    """The whole file, within bounds. The user chose a file that is refused here."""
    content = bytearray()
    try:
        for chunk in chunks_of(image):
            content += chunk
            if len(content) > MAX_PHOTO_BYTES:
                raise unreadable()
    except Permanent as error:
        raise unreadable() from error
    except Unanswered as error:  # nothing has begun: another attempt fetches it again
        raise Transient(*BUSY) from error
    return bytes(content)


def unreadable() -> Permanent:
    return Permanent("invalid_input", "The photo cannot be read. Please choose another one.")


def paint(photo: Image.Image, scene: Scene) -> Image.Image:
    """Strokes of the photo's own colours, along waves, over a tint of the prompt's sky."""
    palette, dice = scene.palette, scene.dice
    tint = ramp(palette.top, palette.horizon, photo.size)
    view = Image.blend(ImageOps.autocontrast(photo, cutoff=1), tint, 0.16)
    picture = view.filter(ImageFilter.GaussianBlur(12))
    draw, bend = ImageDraw.Draw(picture), dice.uniform(0.006, 0.012)
    for wide, count in STROKES:
        seen = view.filter(ImageFilter.GaussianBlur(wide / 3))
        for _ in range(count * photo.width * photo.height // (SIZE * SIZE)):
            x, y = dice.uniform(0, photo.width - 1), dice.uniform(0, photo.height - 1)
            angle = math.sin(x * bend) + math.cos(y * bend * 1.3)
            dx, dy = math.cos(angle) * wide * 1.6, math.sin(angle) * wide * 1.6
            light = palette.light if dice.random() < 0.5 else palette.near
            # RGB: a triple
            seen_here: Colour = seen.getpixel((int(x), int(y)))  # type: ignore[assignment]
            tone = mix(seen_here, light, dice.uniform(0, 0.12))
            draw.line((x - dx, y - dy, x + dx, y + dy), fill=tone, width=wide)
    return picture.filter(ImageFilter.SMOOTH)
