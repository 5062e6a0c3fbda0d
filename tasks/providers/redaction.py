"""Providers repeat what they were given in what they say; no log may have it."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

import logs
import settings
from tasks.store import Job

MAX_READ = 4_000  # characters of a text that are looked at: its beginning and its end
SHORTEST_VALUE = 3  # characters; a shorter value of the input stands in every text by chance
WORDS_IN_A_ROW = 3  # of the input; fewer are chance


def redacted(text: str, job: Job) -> str:
    """The text without secrets, and without what the job was given."""
    if len(text) > MAX_READ:
        text = f"{text[: MAX_READ // 2]}\n{text[-MAX_READ // 2 :]}"
    text = logs.scrubbed(text)
    given = {value for value in texts_of(job) if len(value) >= SHORTEST_VALUE}
    for value in sorted(given, key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", "…", text, flags=re.IGNORECASE)
    return hide_runs(text, given)


def texts_of(job: Job) -> list[str]:
    """The texts of the job's input; none of an unreadable one, whose log line must be written."""
    try:
        return list(strings_in(job.provider_input))
    except ValueError:
        return [job.request]


def hide_runs(text: str, given: Iterable[str]) -> str:
    """Hide parts of the input that are cut, quoted or escaped: any few words in a row of it."""
    runs = {run for value in given for run in runs_of(re.findall(r"\w+", value.casefold()))}
    words = list(re.finditer(r"\w+", text))
    spoken = [word[0].casefold() for word in words]
    hidden = {at + n for at, run in enumerate(runs_of(spoken)) if run in runs for n in range(WORDS_IN_A_ROW)}
    for at in sorted(hidden, reverse=True):
        end = words[at + 1].start() if at + 1 in hidden else words[at].end()
        text = text[: words[at].start()] + ("" if at - 1 in hidden else "…") + text[end:]
    return text


def runs_of(words: list[str]) -> Iterator[tuple[str, ...]]:
    return zip(*(words[start:] for start in range(WORDS_IN_A_ROW)), strict=False)


def strings_in(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case {"$env": str(name)}:
            yield settings.variable(name) or ""
        case dict():
            yield from strings_in(list(value.values()))
        case list():
            for each in value:
                yield from strings_in(each)
