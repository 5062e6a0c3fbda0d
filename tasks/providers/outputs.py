"""Find files and text in an answer of any shape: a URL, lists, objects, fragments of text."""

import logging
import re
from collections.abc import Iterable, Iterator
from typing import Any

from tasks.providers.download import GONE, File, host_of, is_at, is_data
from tasks.providers.protocol import Permanent, Unusable

log = logging.getLogger("tasks")

MAX_FILES = 32  # each is an open file of the worker until all are stored
URL = re.compile(r"\s*https?://\S+\s*", re.IGNORECASE)


def found_in(output: Any, *, origins: Iterable[str], facts: dict[str, object]) -> list[Iterable[bytes] | str]:
    """Every URL at an allowed origin and every data URI, in order and once; without any, the text.

    Args:
        output: Anything that JSON can say.
        facts: The job's facts for the log.

    Raises:
        Permanent: There is nothing, or nothing that this reader understands.
    """
    facts = facts | {"shape": shape(output)[:500]}
    origins = list(origins)
    urls = dict.fromkeys(text for text in texts_in(output) if is_data(text) or is_at(text, origins))
    if len(urls) > MAX_FILES:
        log.warning("output.too_many", extra=facts | {"files": len(urls), "stored": MAX_FILES})
    if urls:
        return [File(url, facts) for url in list(urls)[:MAX_FILES]]
    text = text_of(output)
    if text is not None and text.strip():
        return [text]
    log.warning("output.nothing_found", extra=facts)
    if not any(texts_in(output)) and not any(True for _ in leaves(output)):
        raise Permanent(*GONE)
    raise Unusable("no output in what the model answered", "provider_unavailable")


def text_of(output: Any) -> str | None:
    """A string, or its fragments. URLs alone are no text: they are files that we do not fetch."""
    fragments = [output] if isinstance(output, str) else output
    if not isinstance(fragments, list) or not all(isinstance(fragment, str) for fragment in fragments):
        return None
    is_prose = any(fragment.strip() and not URL.fullmatch(fragment) for fragment in fragments)
    return "".join(fragments) if is_prose else None


def texts_in(output: Any) -> Iterator[str]:
    return (leaf for leaf in leaves(output) if isinstance(leaf, str))


def leaves(output: Any) -> Iterator[Any]:
    """All strings, numbers and booleans, in order.

    Without recursion: JSON may nest deeper than Python.
    """
    left = [output]
    while left:
        match left.pop():
            case dict() as values:
                left.extend(reversed(values.values()))
            case list() as values:
                left.extend(reversed(values))
            case None:
                pass
            case leaf:
                yield leaf


def shape(output: Any, depth: int = 4) -> str:
    """The shape of an answer for the log: the length of a text, the host of a URL."""
    match output:
        case str() if is_data(output):
            return "data URI"
        case str() if URL.fullmatch(output):
            return f"URL at {host_of(output.strip())}"
        case str():
            return f"text of {len(output)}"
        case None:
            return "null"
        case bool():
            return str(output).lower()
        case int() | float():
            return "number"
        case list() if depth and output:
            shapes = dict.fromkeys(shape(value, depth - 1) for value in output[:20])
            return f"[{len(output)} x {', '.join(shapes)}]"
        case dict() if depth and output:
            named = (f"{plain(key)}: {shape(output[key], depth - 1)}" for key in list(output)[:10])
            return f"{{{', '.join(named)}}}"
    return "[…]" if isinstance(output, list) else "{…}"


def plain(key: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]", "?", key)[:30]
