"""The land: ridges that fade with distance, and what stands on them."""

import math
from dataclasses import dataclass, field

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageOps

from tasks.providers.preview.canvas import SIZE, Shape, contour, lay, mix, ramp
from tasks.providers.preview.figures import paint_castle
from tasks.providers.preview.scene import Colour, Scene

STEEP = 0.9  # of mountains: down by so much for each pixel across
WINDOW = (255, 214, 138)
FLOWERS = [(214, 64, 69), (244, 180, 60), (240, 240, 245), (150, 98, 190), (235, 120, 160)]


@dataclass(frozen=True, slots=True)
class Ridge:
    line: list[tuple[float, float]]  # its crest, from left to right
    depth: float  # 0 far, 1 near
    summits: list[tuple[float, float]] = field(
        default_factory=list
    )  # of mountains: where, how high above the valley

    def height_at(self, x: float) -> float:
        return self.line[min(256, max(0, round(x / SIZE * 256)))][1]


def paint_land(picture: Image.Image, scene: Scene, level: int) -> Ridge:
    """Ridge before ridge; the nearest one, for what stands in front."""
    count = scene.dice.randint(3, 4)
    for number in range(count):
        ridge = ridge_of(scene, level, (number + 1) / count)
        if number == count - 1:
            x = SIZE * scene.dice.uniform(0.28, 0.72)
            paint_castle(picture, scene, x, ridge.height_at(x) + 12)
        ground(picture, scene, ridge, has_towers="towers" in scene.parts and number == count - 2)
    if "flowers" in scene.parts and "water" not in scene.parts:
        flowers(picture, scene, ridge)
    return ridge


def ridge_of(scene: Scene, level: int, depth: float) -> Ridge:
    """A ridge of mountains where they are asked for and far away; else one of hills."""
    base = level + SIZE * (depth * depth * (0.1 if "water" in scene.parts else 0.27) - 0.02)
    rough = 0.4 if scene.time == "desert" else 0.5 + 0.07 * depth
    hills = contour(scene.dice, rough)
    if "peaks" not in scene.parts or depth > 0.4:
        return Ridge(
            [(SIZE * n / 256, base - SIZE * (0.15 - 0.07 * depth) * up) for n, up in enumerate(hills)], depth
        )
    tops = [
        (at + scene.dice.uniform(-0.08, 0.08), scene.dice.uniform(0.2, 0.4) * (1.25 - depth))
        for at in (0.1, 0.37, 0.63, 0.9)
    ]
    highs = [
        max(0.02, *(top - abs(n / 256 - at) * STEEP for at, top in tops)) + hills[n] * 0.025
        for n in range(257)
    ]
    summits = [
        (at * SIZE, top * SIZE) for at, top in tops if highs[min(256, max(0, round(at * 256)))] < top + 0.05
    ]
    return Ridge([(SIZE * n / 256, base - SIZE * high) for n, high in enumerate(highs)], depth, summits)


def ground(picture: Image.Image, scene: Scene, ridge: Ridge, *, has_towers: bool) -> None:
    shape = Shape()
    shape.polygon([*ridge.line, (SIZE, SIZE), (0, SIZE)])
    if "trees" in scene.parts and ridge.depth > 0.45:
        trees(shape, scene, ridge)
    windows = towers(shape, scene, ridge) if has_towers else []
    mask = shape.mask()
    lay(picture, shaded(scene, ridge), mask)
    lit_edge(picture, scene, mask, ridge)
    if ridge.summits:
        slopes(picture, scene, mask, ridge)
    draw = ImageDraw.Draw(picture)
    for x, y in windows:
        draw.rectangle((x, y, x + 2, y + 3), fill=WINDOW)


def shaded(scene: Scene, ridge: Ridge) -> Image.Image:
    """Dark at the crest; below it the haze of the valley, the more the farther away."""
    palette = scene.palette
    crest = mix(palette.far, palette.near, ridge.depth)
    top = max(0, int(min(y for _, y in ridge.line)))
    haze = mix(crest, palette.horizon, 0.55 * (1 - ridge.depth) + 0.05)
    sheet = Image.new("RGB", (SIZE, SIZE), crest)
    sheet.paste(ramp(crest, haze, (SIZE, max(1, SIZE - top)), bend=0.8), (0, top))
    return sheet


def lit_edge(picture: Image.Image, scene: Scene, mask: Image.Image, ridge: Ridge) -> None:
    edge = ImageChops.subtract(mask, ImageChops.offset(mask, 0, 3))
    strength = 0.34 * (1.15 - ridge.depth)
    lay(picture, scene.palette.light, edge.point(lambda v: int(v * strength)))


def slopes(picture: Image.Image, scene: Scene, mask: Image.Image, ridge: Ridge) -> None:
    """Snow on the summits, where it is cold enough, and one side of every mountain in shadow."""
    dice, palette = scene.dice, scene.palette
    snow, shade = Shape(), Shape()
    for x, tall in ridge.summits:
        y = ridge.height_at(x)
        fall = [(x + dice.uniform(-0.16, 0.1) * tall * n / 6, y + tall * n / 6) for n in range(7)]
        shade.polygon([*fall, (x + tall / STEEP, y + tall)])
        deep = tall * dice.uniform(0.3, 0.42)
        edge = [
            (x + deep / STEEP * n / 7, y + deep * (1.2 if n % 2 else 0.75) * dice.uniform(0.8, 1))
            for n in range(-7, 8)
        ]
        snow.polygon([(x, y - 20), *reversed(edge)])
    if scene.time not in ("desert", "ember"):
        white = mix((250, 252, 255), palette.far, 0.12 + 0.3 * scene.is_dark)
        lay(picture, white, ImageChops.multiply(mask, snow.mask()))
    # The shadow ends in the haze of the valley.
    highest, lowest = (int(edge(y for _, y in ridge.line)) for edge in (min, max))
    fade = Image.new("L", mask.size)
    fade.paste(
        ImageOps.invert(Image.linear_gradient("L")).resize((SIZE, max(1, lowest - highest))), (0, highest)
    )
    dark = ImageChops.multiply(ImageChops.multiply(mask, shade.mask()), fade).point(lambda v: v * 3 // 7)
    lay(picture, mix(palette.near, palette.top, 0.4), dark)


def trees(shape: Shape, scene: Scene, ridge: Ridge) -> None:
    dice = scene.dice
    for x, y in ridge.line[:: 3 if ridge.depth < 1 else 4]:
        tall = dice.uniform(0.4, 1) * (26 + 62 * ridge.depth**2)
        pine(shape, x + dice.uniform(-3, 3), y + 6, tall, tall * dice.uniform(0.16, 0.22))


def pine(shape: Shape, x: float, foot: float, tall: float, wide: float) -> None:
    for low, high, width in ((0.08, 0.55, 1.0), (0.32, 0.78, 0.75), (0.56, 1.0, 0.5)):
        base = foot - tall * low
        shape.polygon([(x - wide * width, base), (x, foot - tall * high), (x + wide * width, base)])
    shape.box(x - tall * 0.02, foot - tall * 0.12, x + tall * 0.02, foot + 4)


def towers(shape: Shape, scene: Scene, ridge: Ridge) -> list[tuple[float, float]]:
    """A skyline, highest in the middle; where its lit windows are."""
    dice, windows, x = scene.dice, [], -10.0
    while x < SIZE:
        wide = dice.uniform(18, 46)
        tall = dice.uniform(36, 210) * (0.45 + 0.75 * math.sin(math.pi * min(1, max(0, x / SIZE))))
        foot = ridge.height_at(x + wide / 2)
        roof = foot - tall
        shape.box(x, roof, x + wide, foot + 70)
        top(shape, scene, x, roof, wide)
        columns, rows = int((wide - 6) // 6), int(tall // 8)
        places = [(x + 4 + 6 * n, roof + 6 + 8 * m) for n in range(columns) for m in range(rows)]
        windows += [place for place in places if dice.random() < (0.42 if scene.is_dark else 0.2)]
        x += wide + dice.uniform(-3, 7)
    return windows


def top(shape: Shape, scene: Scene, x: float, roof: float, wide: float) -> None:
    kind = scene.dice.random()
    if kind < 0.25:
        shape.box(x + wide / 2 - 0.8, roof - 28, x + wide / 2 + 0.8, roof)
    elif kind < 0.4:
        shape.polygon([(x, roof), (x + wide / 2, roof - wide * 0.6), (x + wide, roof)])
    elif kind < 0.6:
        shape.box(x + wide * 0.2, roof - 12, x + wide * 0.8, roof)


def flowers(picture: Image.Image, scene: Scene, ridge: Ridge) -> None:
    """Blades and blossoms, larger the nearer they are."""
    draw, dice = ImageDraw.Draw(picture), scene.dice
    leaf: Colour = mix(scene.palette.near, (96, 150, 70), 0.5)
    tints = dice.sample(FLOWERS, 3)
    for n in range(520):
        near = (n / 520) ** 0.8
        x = dice.uniform(0, SIZE)
        y = ridge.height_at(x) + 8 + near * (SIZE + 24 - ridge.height_at(x))
        tall, size = 5 + 22 * near, 1 + 4.2 * near
        draw.line(
            (x, y, x + dice.uniform(-4, 4), y - tall),
            fill=mix(leaf, scene.palette.far, 0.3 * (1 - near)),
            width=1 + int(2 * near),
        )
        if dice.random() < 0.6:
            tint = mix(dice.choice(tints), scene.palette.near, 0.45 if scene.is_dark else 0.08)
            draw.ellipse((x - size, y - tall - size * 0.8, x + size, y - tall + size * 0.8), fill=tint)


def paint_water(picture: Image.Image, scene: Scene) -> int:
    """A mirror of what lies above the shore, broken by waves; where the shore is."""
    dice, palette = scene.dice, scene.palette
    shore = int(SIZE * dice.uniform(0.67, 0.72))
    depth = SIZE - shore
    mirror = ImageOps.flip(picture.crop((0, shore - depth, SIZE, shore))).filter(
        ImageFilter.GaussianBlur(1.6)
    )
    broken = Image.new("RGB", mirror.size)
    for y in range(depth):
        shift = int(math.sin(y * 0.85 + dice.random()) * (1 + y / 13))
        broken.paste(ImageChops.offset(mirror.crop((0, y, SIZE, y + 1)), shift, 0), (0, y))
    sheet = ramp(mix(palette.horizon, palette.far, 0.4), mix(palette.top, palette.near, 0.5), mirror.size)
    picture.paste(Image.blend(broken, sheet, 0.4), (0, shore))
    draw = ImageDraw.Draw(picture, "RGBA")
    for _ in range(110):
        y = shore + dice.random() ** 1.5 * depth
        x, long = dice.uniform(0, SIZE), 5 + (y - shore) / 3
        draw.line(
            (x, y, x + long, y), fill=(*palette.light, dice.randint(20, 75)), width=1 + int((y - shore) / 120)
        )
    return shore
