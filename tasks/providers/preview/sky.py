"""The sky: its colours, stars, sun or moon, clouds and northern lights."""

import math

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from tasks.providers.preview.canvas import SIZE, Shape, lay, mix, ramp
from tasks.providers.preview.scene import Colour, Scene

WHITE = (255, 255, 255)


def paint_sky(scene: Scene, level: int) -> Image.Image:
    """The picture with its sky down to `level`, and the horizon's colour below."""
    palette = scene.palette
    picture = Image.new("RGB", (SIZE, SIZE), palette.horizon)
    picture.paste(ramp(palette.top, palette.horizon, (SIZE, level), bend=1.35))
    if scene.is_dark:
        stars(picture, scene, level)
    if scene.time == "aurora":
        northern_lights(picture, scene, level)
    if "rain" not in scene.parts:
        shine(picture, scene, level)
    clouds(picture, scene, level)
    return picture


def stars(picture: Image.Image, scene: Scene, level: int) -> None:
    draw, dice = ImageDraw.Draw(picture), scene.dice
    for _ in range(90 if scene.time == "dusk" else 230):
        x, y, bright = dice.random() * SIZE, dice.random() ** 1.6 * level, dice.random() ** 2
        behind = picture.getpixel((int(x), int(y)))
        # an RGB picture's pixels are triples
        tint = mix(behind, WHITE, 0.25 + 0.75 * bright)  # type: ignore[arg-type]
        draw.ellipse((x, y, x + 0.7 + 1.8 * bright, y + 0.7 + 1.8 * bright), fill=tint)


def shine(picture: Image.Image, scene: Scene, level: int) -> None:
    """Sun or moon, low in the sky at dusk and dawn, and its glow."""
    dice, light = scene.dice, scene.palette.light
    is_low = scene.time in ("dusk", "dawn")
    x, y = (
        dice.uniform(0.22, 0.78) * SIZE,
        level * (dice.uniform(0.7, 0.85) if is_low else dice.uniform(0.25, 0.5)),
    )
    radius = SIZE * dice.uniform(0.05, 0.085)
    glow = Image.new("L", (SIZE // 4, SIZE // 4))
    for spread, strength in ((8, 45), (4.5, 60), (2.4, 95), (1.5, 120)):
        ring = Image.new("L", glow.size)
        box = [
            edge / 4
            for edge in (x - radius * spread, y - radius * spread, x + radius * spread, y + radius * spread)
        ]
        ImageDraw.Draw(ring).ellipse(box, fill=strength)
        glow = ImageChops.screen(glow, ring.filter(ImageFilter.GaussianBlur(radius * spread / 9)))
    lay(picture, light, glow.resize(picture.size, Image.Resampling.BICUBIC))
    disc = Shape()
    disc.disc(x, y, radius)
    lay(picture, mix(light, WHITE, 0.4), disc.mask())
    if scene.time in ("night", "aurora"):
        craters(picture, scene, x, y, radius)


def craters(picture: Image.Image, scene: Scene, x: float, y: float, radius: float) -> None:
    spots = Shape()
    for _ in range(6):
        angle, away = scene.dice.uniform(0, math.tau), scene.dice.uniform(0.1, 0.62) * radius
        spots.disc(
            x + math.cos(angle) * away, y + math.sin(angle) * away, radius * scene.dice.uniform(0.07, 0.2)
        )
    lay(picture, mix(scene.palette.light, scene.palette.far, 0.3), spots.mask().point(lambda v: v * 2 // 5))


def clouds(picture: Image.Image, scene: Scene, level: int) -> None:
    """Heaps of soft discs with a flat base, lit from above."""
    dice, heavy = scene.dice, "rain" in scene.parts or scene.time == "mist"
    veil = Image.new("L", (SIZE // 2, SIZE // 2))
    draw = ImageDraw.Draw(veil)
    for _ in range(dice.randint(12, 16) if heavy else dice.randint(3, 7)):
        left, base = dice.uniform(-0.15, 0.95) * SIZE, dice.uniform(0.1, 0.85) * level
        width = dice.uniform(0.12, 0.4) * SIZE
        for _ in range(12):
            x, bulge = dice.gauss(0.5, 0.22), dice.uniform(0.5, 1)
            high = (7 + width * 0.09) * bulge * max(0.2, 1 - abs(x - 0.5) * 2)
            middle, wide = left + x * width, high * dice.uniform(2, 3.4)
            box = (middle - wide, base - high, middle + wide, base + high * 0.35)
            draw.ellipse([edge / 2 for edge in box], fill=dice.randint(70, 150))
    veil = veil.filter(ImageFilter.GaussianBlur(3.5)).resize(picture.size, Image.Resampling.BICUBIC)
    lay(picture, cloud_colour(scene, heavy), veil)


def cloud_colour(scene: Scene, heavy: bool) -> Colour:
    palette = scene.palette
    if heavy:
        return mix(palette.top, palette.far, 0.5)
    return mix(palette.horizon, palette.light, 0.15 if scene.is_dark else 0.75)


def northern_lights(picture: Image.Image, scene: Scene, level: int) -> None:
    """Curtains: columns of light that end in a waving line and fade upwards."""
    dice = scene.dice
    for tint in ((90, 255, 170), (120, 140, 255)):
        small = Image.new("L", (SIZE // 4, SIZE // 4))
        draw = ImageDraw.Draw(small)
        phase, waves, foot = (
            dice.uniform(0, math.tau),
            dice.uniform(0.8, 1.6),
            level * dice.uniform(0.5, 0.75) / 4,
        )
        for x in range(small.width):
            angle = phase + x / small.width * math.tau * waves
            bottom, tall = foot + math.sin(angle) * 12, level / 9 * (1.5 + math.sin(angle * 1.7))
            for step in range(int(tall)):
                draw.point(
                    (x, bottom - step), fill=int(165 * (1 - step / tall) * (0.7 + 0.3 * math.sin(angle * 9)))
                )
        lay(
            picture,
            tint,
            small.filter(ImageFilter.GaussianBlur(2)).resize(picture.size, Image.Resampling.BICUBIC),
        )
