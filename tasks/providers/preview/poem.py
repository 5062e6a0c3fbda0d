"""A short poem of plain words, made of what the prompt shows."""

from tasks.providers.preview.scene import read

LONGEST_POEM_TITLE = 80  # letters
OPENINGS = {
    "night": ["The moon climbs up and counts the stars.", "It is late, and the dark is soft."],
    "dusk": ["The sun goes down and takes its time.", "The day puts out its lamps, one by one."],
    "dawn": ["The first light comes without a sound.", "Morning opens like a window."],
    "mist": ["The mist has hidden half the world.", "Grey air hangs over everything."],
    "winter": ["The cold has made the air so clear.", "Winter writes in white."],
    "ember": ["The sky is red as glowing coal.", "Far away the earth breathes fire."],
    "desert": ["The sand remembers every wind.", "Noon lies down upon the dunes."],
    "aurora": ["Green light walks across the sky.", "The night has hung its curtains out."],
    "day": ["The sky is wide, the wind is kind.", "It is noon, and nothing hurries."],
}
MIDDLES = {
    "water": ["The water keeps a second sky.", "Small waves repeat what they have heard."],
    "trees": ["The trees stand close and say no word.", "Somewhere a branch lets go its leaf."],
    "towers": ["A thousand windows look for home.", "The town hums softly to itself."],
    "peaks": ["The mountains wait. They always have.", "High up, the old snow shines."],
    "flowers": ["The flowers lean to hear the bees.", "The field has put its colours on."],
    "snowfall": ["Snow comes down and asks for nothing.", "Each flake takes its own way down."],
    "rain": ["The rain is counting all the roofs.", "Rain writes its name on every stone."],
    "lights": ["Small lights go by like thoughts.", "A spark goes up and does not fall."],
}
SUBJECTS = {
    "lighthouse": "The lighthouse turns its patient eye.",
    "fox": "A fox stops here and lifts its head.",
    "cat": "A cat sits still and owns it all.",
    "boat": "A boat goes out and leaves a line.",
    "castle": "The castle dreams of older kings.",
    "cabin": "One window burns, and someone's home.",
    "balloon": "A balloon rises, light as breath.",
    "rocket": "A rocket draws a road of light.",
    "birds": "The birds fly over, all as one.",
}
CLOSINGS = [
    "Stay a while. There is room for you.",
    "Then it is quiet, and that is enough.",
    "You look once more before you go.",
    "Tomorrow it will all be new.",
    "And you were here, and saw it so.",
]


def write(prompt: str, variation: int) -> str:
    scene = read(prompt, variation)
    dice = scene.dice
    lines = [dice.choice(OPENINGS[scene.time])]
    lines += [SUBJECTS[scene.subject]] if scene.subject else []
    lines += [dice.choice(MIDDLES[part]) for part in sorted(scene.parts)[:3]]
    return "\n".join([title_of(prompt), "", *lines, dice.choice(CLOSINGS)])


def title_of(prompt: str) -> str:
    title = " ".join(prompt.split())
    return title if len(title) <= LONGEST_POEM_TITLE else f"{title[:LONGEST_POEM_TITLE].rstrip()}…"
