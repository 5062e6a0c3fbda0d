"""Colours and masks, which everything is painted with."""

import random
from itertools import pairwise

from PIL import Image, ImageDraw

from tasks.providers.preview.scene import Colour

SIZE = 768
SHARP = 2  # shapes are drawn so many times larger, so that their edges are smooth


def mix(one: Colour, other: Colour, share: float) -> Colour:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def ramp(top: Colour, bottom: Colour, size: tuple[int, int], bend: float = 1.0) -> Image.Image:
    """From `top` to `bottom`; with a bend above 1 the colour of the top lasts longer."""
    levels = [int(255 * (level / 255) ** bend) for level in range(256)]
    mask = Image.linear_gradient("L").point(levels).resize(size)
    return Image.composite(Image.new("RGB", size, bottom), Image.new("RGB", size, top), mask)


def lay(picture: Image.Image, colour: Colour | Image.Image, mask: Image.Image) -> None:
    paint = colour if isinstance(colour, Image.Image) else Image.new("RGB", picture.size, colour)
    picture.paste(paint, mask=mask)


class Shape:
    """A mask that is drawn on in the coordinates of the picture."""

    def __init__(self) -> None:
        self.large = Image.new("L", (SIZE * SHARP, SIZE * SHARP))
        self.draw = ImageDraw.Draw(self.large)

    def polygon(self, points: list[tuple[float, float]], strength: int = 255) -> None:
        self.draw.polygon([(x * SHARP, y * SHARP) for x, y in points], fill=strength)

    def box(self, left: float, top: float, right: float, bottom: float) -> None:
        self.draw.rectangle([edge * SHARP for edge in (left, top, right, bottom)], fill=255)

    def disc(self, x: float, y: float, radius: float) -> None:
        self.draw.ellipse(
            [edge * SHARP for edge in (x - radius, y - radius, x + radius, y + radius)], fill=255
        )

    def mask(self) -> Image.Image:
        return self.large.reduce(SHARP)


def contour(dice: random.Random, rough: float) -> list[float]:
    """257 heights around 0: each halving adds points between, with ever less deviation."""
    heights, swing = [dice.uniform(-1, 1), dice.uniform(-1, 1)], 1.0
    while len(heights) < 257:
        swing *= rough
        between = [(a + b) / 2 + dice.uniform(-swing, swing) for a, b in pairwise(heights)]
        heights = [height for pair in zip(heights, between, strict=False) for height in pair] + heights[-1:]
    return heights
