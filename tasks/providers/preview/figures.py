"""The subject of the picture, if a word of the prompt names one.

A figure is drawn as pieces, one a line: a paint, then the corners in hundredths of the figure's
height. Its foot is at 0,0.
"""

from PIL import Image, ImageDraw, ImageFilter

from tasks.providers.preview.canvas import SIZE, lay, mix
from tasks.providers.preview.scene import Colour, Scene

Points = list[tuple[float, float]]
Piece = tuple[str, Points]  # its colour by name, its corners

DRAWN = {
    "lighthouse": """
        dark -42,0 -20,12 16,11 50,0 40,-4 -36,-4
        white -10,8 10,8 6,80 -6,80
        red -9.3,20 9.3,20 8.5,34 -8.5,34
        red -7.8,48 7.8,48 7,62 -7,62
        dark -8.5,80 8.5,80 8.5,82.5 -8.5,82.5
        lamp -4.2,82.5 4.2,82.5 4.2,91 -4.2,91
        red -6.5,91 6.5,91 0,100
    """,
    "fox": """
        coat 10,0 34,0 56,6 66,20 62,36 54,26 42,16 30,14
        pale 62,36 66,20 63,18 56,28
        coat -16,0 30,0 33,16 26,34 10,50 -4,62 -18,56 -17,30
        pale -18,50 -6,46 -8,26 -15,12 -18,30
        coat -40,62 -26,60 -2,56 6,68 5,82 -14,84 -26,74
        coat -16,80 -14,100 -4,84
        coat -4,82 3,98 6,78
        pale -40,62 -24,60 -8,57 -16,66 -30,67
        dark -42,63.5 -40,61 -37,63 -39,65.5
        dark -18,73 -15,75 -13,73 -16,71.5
        dark -17,0 -8,0 -9,12 -16,12
    """,
    "cat": """
        dark 16,0 50,2 58,20 52,42 46,40 50,20 42,10 20,10
        dark -22,0 26,0 30,20 20,44 10,62 -12,62 -20,40
        dark -22,64 -14,56 10,56 18,66 17,82 -20,82
        dark -21,78 -19,100 -6,82
        dark 4,82 16,100 18,78
        lamp -14,70 -9,74 -5,70 -9,68
        lamp 2,70 6,74 11,70 6,68
    """,
    "boat": """
        dark -36,12 44,12 30,0 -26,0
        red -36,12 44,12 42,9 -34,9
        dark 0,12 2,12 2,100 0,100
        white 4,18 40,18 4,96
        pale -2,18 -30,18 -2,82
    """,
    "castle": """
        stone -50,-40 50,-40 50,36 -50,36
        stone -30,36 -24,36 -24,42 -30,42
        stone -16,36 -10,36 -10,42 -16,42
        stone 6,36 12,36 12,42 6,42
        stone 20,36 26,36 26,42 20,42
        stone -55,0 -37,0 -37,60 -55,60
        stone 37,0 55,0 55,56 37,56
        stone -18,0 2,0 2,72 -18,72
        stone 9,0 23,0 23,62 9,62
        red -58,60 -34,60 -46,86
        red 34,56 58,56 46,82
        red -21,72 5,72 -8,98
        red 6,62 26,62 16,88
        lamp -48,44 -44.5,44 -44.5,51 -48,51
        lamp 44,42 47.5,42 47.5,49 44,49
        lamp -10,54 -6.5,54 -6.5,61 -10,61
        lamp -10,30 -6.5,30 -6.5,37 -10,37
        lamp 14,48 17.5,48 17.5,55 14,55
        lamp 30,20 33.5,20 33.5,27 30,27
        lamp -32,20 -28.5,20 -28.5,27 -32,27
        dark -6,-40 6,-40 6,10 0,16 -6,10
    """,
    "cabin": """
        wood -42,-6 42,-6 42,46 -42,46
        stone 20,60 32,60 32,98 20,98
        roof -54,42 54,42 0,94
        lamp -30,16 -10,16 -10,34 -30,34
        lamp -6,54 6,54 6,66 -6,66
        dark 10,-6 28,-6 28,32 10,32
        wood -20.5,16 -19.5,16 -19.5,34 -20.5,34
    """,
    "balloon": """
        dark -7,0 7,0 9,12 -9,12
        red -8,20 8,20 26,42 35,62 30,83 17,95 0,100 -17,95 -30,83 -35,62 -26,42
        white -5,20 5,20 13,42 16,62 13,83 7,96 -7,96 -13,83 -16,62 -13,42
        red -2,20 2,20 5,42 6,62 5,83 2,98 -2,98 -5,83 -6,62 -5,42
        dark -8,12 -7.6,21 -7,21 -7.4,12
        dark 0,12 0,21 0.6,21 0.6,12
        dark 8,12 7.6,21 8.2,21 8.6,12
    """,
    "rocket": """
        lamp -7,16 7,16 3,0 0,-14 -3,0
        red -24,10 -8,20 -10,46
        red 24,10 8,20 10,46
        white -10,16 10,16 13,50 10,74 0,100 -10,74 -13,50
        red -10,74 10,74 0,100
        dark -5,58 0,64 5,58 0,52
    """,
    "birds": """
        dark 0,50 20,68 50,60 24,62 2,42 -2,42 -24,62 -50,60 -20,68
    """,
}


def pieces(drawn: str) -> list[Piece]:
    lines = [line.split() for line in drawn.strip().splitlines()]
    return [(paint, [corner(place) for place in places]) for paint, *places in lines]


def corner(place: str) -> tuple[float, float]:
    x, y = place.split(",")
    return float(x) / 100, float(y) / 100


FIGURES = {name: pieces(drawn) for name, drawn in DRAWN.items()}
SMOOTH = 3
TALL = {
    "lighthouse": 0.44,
    "fox": 0.3,
    "cat": 0.3,
    "boat": 0.3,
    "castle": 0.4,
    "cabin": 0.24,
    "balloon": 0.26,
    "rocket": 0.34,
}
COLOURS: dict[str, Colour] = {
    "white": (238, 234, 224),
    "pale": (248, 240, 226),
    "red": (192, 57, 48),
    "dark": (28, 22, 34),
    "coat": (216, 108, 46),
    "stone": (128, 122, 134),
    "wood": (112, 72, 50),
    "roof": (74, 44, 44),
    "lamp": (255, 226, 150),
}


def paint_figure(picture: Image.Image, scene: Scene, foot: tuple[float, float], sky: float) -> None:
    """Put the subject at its foot on the ground, or where it flies in the sky above."""
    x, ground = foot
    match scene.subject:
        case "birds":
            flock(picture, scene, sky)
        case "balloon" | "rocket" as name:
            place(picture, scene, name, x, sky * 0.72)
        case "lighthouse":
            beam(picture, scene, x, ground - SIZE * TALL["lighthouse"] * 0.87)
            place(picture, scene, "lighthouse", x, ground)
        case "fox" | "cat" | "boat" | "cabin" as name:
            shadow(picture, scene, x, ground)
            place(picture, scene, name, x, ground)


def paint_castle(picture: Image.Image, scene: Scene, x: float, ground: float) -> None:
    """Its foot is hidden by the nearest ridge, which is painted after it."""
    if scene.subject == "castle":
        place(picture, scene, "castle", x, ground)


def place(
    picture: Image.Image, scene: Scene, name: str, x: float, foot: float, tall: float | None = None
) -> None:
    """Draw on an enlarged part of the picture, so that the edges are smooth."""
    size = SIZE * (tall or TALL[name])
    side = 1 if x < SIZE / 2 else -1  # turned to the middle
    left, top = int(x - size * 0.7), int(foot - size * 1.05)
    part = picture.crop((left, top, int(x + size * 0.7), int(foot + size * 0.4)))
    large = part.resize((part.width * SMOOTH, part.height * SMOOTH), Image.Resampling.NEAREST)
    draw = ImageDraw.Draw(large)
    for paint, points in FIGURES[name]:
        corners = [
            ((x - side * px * size - left) * SMOOTH, (foot - py * size - top) * SMOOTH) for px, py in points
        ]
        draw.polygon(corners, fill=lit(scene, paint))
    picture.paste(large.reduce(SMOOTH), (left, top))


def lit(scene: Scene, paint: str) -> Colour:
    """In the light of the hour; lamps shine by themselves."""
    if paint == "lamp":
        return COLOURS["lamp"]
    return mix(COLOURS[paint], scene.palette.near, 0.42 if scene.is_dark else 0.12)


def shadow(picture: Image.Image, scene: Scene, x: float, ground: float) -> None:
    veil = Image.new("L", picture.size)
    ImageDraw.Draw(veil).ellipse((x - 90, ground - 9, x + 90, ground + 13), fill=120)
    lay(picture, mix(scene.palette.near, (0, 0, 0), 0.5), veil.filter(ImageFilter.GaussianBlur(7)))


def flock(picture: Image.Image, scene: Scene, sky: float) -> None:
    dice = scene.dice
    x, y = dice.uniform(0.3, 0.7) * SIZE, dice.uniform(0.3, 0.6) * sky
    for n in range(9):
        side = -1 if n % 2 else 1
        place(
            picture,
            scene,
            "birds",
            x + side * n * 24,
            y + n * 13 + dice.uniform(-6, 6),
            dice.uniform(0.05, 0.08),
        )


def beam(picture: Image.Image, scene: Scene, x: float, y: float) -> None:
    """The light of the lighthouse, across the sky on its wider side."""
    end = x + SIZE if x < SIZE / 2 else x - SIZE
    light = Image.new("L", picture.size)
    strength = 110 if scene.is_dark else 60
    ImageDraw.Draw(light).polygon([(x, y), (end, y - 130), (end, y + 70)], fill=strength)
    lay(picture, scene.palette.light, light.filter(ImageFilter.GaussianBlur(7)))
