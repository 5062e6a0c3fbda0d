"""Guess the kind of a model's outputs: Replicate declares a file; example and texts show which."""

import re
from itertools import islice

from operate import schema

MOST_LEAVES = 200  # an output that is nested in itself has no end
SUFFIXES = {
    "video": r"\.(mp4|webm|mov|mkv)\b",
    "audio": r"\.(mp3|wav|flac|ogg|m4a|opus|aac|pcm)\b",
    "image": r"\.(png|jpe?g|webp|gif|avif|svg)\b",
}
WORDS = {
    "video": r"\b(video|animat\w+|movie)\b",
    "audio": r"\b(audio|speech|voice|music|song|sound|tts)\b",
    "image": r"\b(image|picture|photo|upscal\w+)\b",
}


def kind_of(model: schema.Json, schemas: schema.Json) -> tuple[str, str]:
    """image, video, audio or text, and by what it was guessed."""
    made = islice(schema.leaves(schemas.get("Output"), schemas), MOST_LEAVES)
    if "Output" in schemas and not any(schema.is_file(leaf) for leaf in made):
        return "text", "its output, which is no file"
    example = model.get("default_example")
    output = str(example.get("output") if isinstance(example, dict) else "").lower()
    words = f"{model.get('name')} {model.get('description')}".lower().replace("-", " ")
    for shown, patterns, by in ((output, SUFFIXES, "its example"), (words, WORDS, "its description")):
        for kind, pattern in patterns.items():
            if re.search(pattern, shown):
                return kind, by
    return "image", "nothing but chance"
