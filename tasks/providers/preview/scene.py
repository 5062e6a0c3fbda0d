"""Read the scene from the words of a prompt; its hash chooses the rest."""

import hashlib
import random
import re
from dataclasses import dataclass

Colour = tuple[int, int, int]
SINGULARS = (("s$", ""), ("es$", ""), ("ies$", "y"), ("ves$", "f"))

# The first time of day that a word of the prompt names; without one, chance chooses.
TIMES = {
    "night": "night midnight moon star galaxy space neon dark cosmic firefly owl",
    "dusk": "dusk sunset evening autumn twilight pumpkin lantern",
    "dawn": "dawn morning sunrise spring blossom pink cherry",
    "mist": "fog foggy mist misty rain rainy storm stormy ghost grey gray moor",
    "winter": "winter snow snowy ice icy frost frozen arctic polar penguin",
    "ember": "fire lava volcano dragon mars apocalypse inferno ember",
    "desert": "desert dune sand sahara camel cactus canyon pyramid",
    "aurora": "aurora northern borealis magic magical dream fairy unicorn",
    "day": "day noon sun sunny summer meadow field garden beach blue",
}
PARTS = {
    "water": "sea ocean lake river pond beach lighthouse boat ship sailboat island water koi whale harbour harbor wave"
    " coast bay fjord venice fish reflection",
    "trees": "forest wood tree fox deer jungle autumn park pine bear wolf owl cabin camping taiga fairy",
    "towers": "city town tower street neon station skyline robot skyscraper cyberpunk tokyo york downtown metropolis",
    "peaks": "mountain alp alpine peak summit snowy everest fjord glacier cliff dragon valley himalaya volcano",
    "flowers": "flower meadow garden field spring blossom poppy tulip lavender rose bee butterfly cherry",
    "snowfall": "snow snowy winter blizzard christmas frozen arctic penguin",
    "rain": "rain rainy storm stormy thunder umbrella",
    "lights": "firefly lantern magic magical fairy spark ember dream unicorn",
}
# One thing to look at; the first that a word names.
SUBJECTS = {
    "lighthouse": "lighthouse beacon",
    "fox": "fox wolf dog puppy",
    "cat": "cat kitten",
    "boat": "boat ship sailboat sail yacht pirate",
    "castle": "castle palace cathedral fortress kingdom knight princess dragon",
    "cabin": "cabin house cottage hut home barn village",
    "balloon": "balloon airship zeppelin",
    "rocket": "rocket spaceship astronaut launch",
    "birds": "bird gull seagull swallow crow goose eagle owl raven flock",
}


@dataclass(frozen=True, slots=True)
class Palette:
    top: Colour  # of the sky
    horizon: Colour
    far: Colour  # the farthest ridge
    near: Colour
    light: Colour  # sun or moon


def colour(code: str) -> Colour:
    red, green, blue = bytes.fromhex(code)
    return red, green, blue


PALETTES = {
    time: Palette(*(colour(code) for code in codes.split()))
    for time, codes in {
        "dawn": "4a5f9e ffc2a6 b38aa5 3a2b52 fff0cf",
        "day": "2f7fd1 dff1f7 8fb8cc 2c5f47 fffbe0",
        "dusk": "241f5c ff8a4f 7d527f 211536 ffdf9e",
        "night": "070d2b 31508a 2a3f6b 080c1d f3f6ff",
        "mist": "8fa4a8 f2f3ee b6c5c4 45605f ffffff",
        "winter": "6f9cc9 f3f6fb b9cde0 5e7fa3 fffdf2",
        "ember": "2b0d18 f0613f 8a323c 1b0a13 ffcf8c",
        "desert": "3f8fc4 fbe3bf e0a86c 9c5a34 fff3cc",
        "aurora": "0a1233 2f7f86 2b4a6b 0a1020 eafff4",
    }.items()
}


@dataclass(frozen=True, slots=True)
class Scene:
    """`dice` is the only source of chance: the same prompt and variation give the same picture."""

    time: str
    parts: frozenset[str]
    subject: str | None
    dice: random.Random

    @property
    def palette(self) -> Palette:
        return PALETTES[self.time]

    @property
    def is_dark(self) -> bool:
        return self.time in ("night", "dusk", "aurora", "ember")


def read(prompt: str, variation: int) -> Scene:
    said = words(prompt)
    dice = dice_of(prompt, variation)
    subject = first(SUBJECTS, said)
    parts = {part for part, names in PARTS.items() if said & set(names.split())}
    time = first(TIMES, said) or dice.choice(list(PALETTES))
    if not parts and subject is None and time != "desert":
        parts.add(dice.choice(["water", "trees", "towers", "peaks", "flowers"]))
    if subject == "boat":
        parts.add("water")
    return Scene(time, frozenset(parts), subject, dice)


def words(prompt: str) -> set[str]:
    """In lower case, each also in what may be its singular."""
    said = "".join(letter if letter.isalnum() else " " for letter in prompt.lower()).split()
    singulars = {re.sub(ending, single, word) for word in said for ending, single in SINGULARS}
    return {*said, *singulars}


def dice_of(prompt: str, variation: int) -> random.Random:
    seed = f"{variation} {prompt}".encode("utf-8", "replace")
    return random.Random(hashlib.sha256(seed).digest())  # noqa: S311  # a picture, not a secret


def first(named: dict[str, str], said: set[str]) -> str | None:
    return next((name for name, names in named.items() if said & set(names.split())), None)
