"""Translate a Replicate model's input schema to the part of JSON Schema that `private.models`
keeps.

Nothing here is trusted: a model's author wrote it.
"""

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from operate import Refused

KEY = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,62}")
LONGEST_TITLE, LONGEST_DESCRIPTION, MOST_CHOICES = 80, 300, 100
DEEPEST = 4  # references to references
MOST_IMAGES = 10  # of an array without a maximum of its own
UNSAFE = {"disable_safety_checker", "safety_tolerance", "moderation"}  # what a user must not loosen

Json = dict[str, Any]
Kept = Json
Why = Literal["file", "secret", "other"]


@dataclass(frozen=True, slots=True)
class Left:
    """A field that users cannot choose: what it is, and why it was left out."""

    why: Why
    reason: str


@dataclass(slots=True)
class Read:
    properties: dict[str, Kept] = field(default_factory=dict)
    left: dict[str, Left] = field(default_factory=dict)
    required: list[str] = field(default_factory=list)  # as the model says, kept or left
    notes: list[str] = field(default_factory=list)


def read(schemas: Json, images: set[str]) -> Read:
    """The fields of the schema `Input`, in order; those in `images` become photos of the user."""
    form = resolved(schemas.get("Input"), schemas)
    properties = form.get("properties")
    if not isinstance(properties, dict) or not properties:
        raise Refused(
            "The schema of this model names no input: look at the API tab of its page, and write the row by hand."
        )
    found = Read(required=[key for key in properties if key in list_of(form.get("required"))])
    for key in sorted(properties, key=lambda key: order_of(properties[key])):
        part = field_of(key, resolved(properties[key], schemas), schemas, images, found.notes)
        if isinstance(part, Left):
            found.left[key] = part
        else:  # jsonb keeps no order of keys
            found.properties[key] = part | {"x-order": len(found.properties)}
    return found


def resolved(schema: object, schemas: Json, depth: int = 0) -> Json:
    """Resolve `$ref`, an `allOf` of one (cog's choices), and a union of one type with null."""
    if not isinstance(schema, dict) or depth > DEEPEST:
        return {}
    rest, parts = dict(schema), [referred(schema.get("$ref"), schemas)]
    for word in ("allOf", "anyOf"):
        options = [option for option in list_of(schema.get(word)) if not is_null(option)]
        if len(options) == 1:
            parts += options
            rest.pop(word)
    rest.pop("$ref", None)
    merged: Json = {}
    for part in parts:
        merged |= resolved(part, schemas, depth + 1)
    return single(merged | rest)


def single(schema: Json) -> Json:
    types = [each for each in list_of(schema.get("type")) if each != "null"]
    return schema | {"type": types[0]} if len(types) == 1 else schema


def referred(ref: object, schemas: Json) -> object:
    place, _, name = ref.rpartition("/") if isinstance(ref, str) else ("", "", "")
    return schemas.get(name) if place == "#/components/schemas" else None


def is_null(schema: object) -> bool:
    return isinstance(schema, dict) and schema.get("type") == "null"


def field_of(key: str, schema: Json, schemas: Json, images: set[str], notes: list[str]) -> Kept | Left:
    items = resolved(schema.get("items"), schemas)
    what = schema.get("type")
    if not KEY.fullmatch(key):
        return Left("other", "its name is none that we take")
    if {"allOf", "anyOf", "oneOf"} & set(schema):
        return Left("other", "it is a union of types")
    if is_secret(schema):
        return Left("secret", f"it is a secret; {give_secret(key)}")
    if is_file(schema) or (what == "array" and is_file(items)):
        if key not in images:
            return Left("file", f"it is a file; if it is a photo of the user, say IMAGES={key}")
        return about(key, schema) | (photos(schema) if what == "array" else photo())
    if key in UNSAFE:
        return Left("other", "users should not loosen what keeps content safe")
    rules = rules_of(what, schema)
    if isinstance(rules, Left):
        return rules
    if what == "integer" and rules.get("maximum", 0) > 1 and re.match(r"(num|number)_", key):
        notes.append(
            f"{key}: a user may ask for {rules['maximum']} at the price of one job;"
            " lower its maximum if that is too many"
        )
    return about(key, schema) | rules | default_of(schema, rules)


def give_secret(key: str) -> str:
    default = json.dumps({key: from_environment(key)})
    return f"to give it from the worker's environment, put {default} into defaults"


def from_environment(key: str) -> Json:
    """A default whose value the worker reads from its environment."""
    return {"$env": key.replace("-", "_").upper()}


def is_secret(schema: Json) -> bool:
    return schema.get("format") == "password" or schema.get("x-cog-secret") is True


def is_file(schema: Json) -> bool:
    return schema.get("type") == "string" and schema.get("format") == "uri"


def photo() -> Json:
    return {"type": "string", "format": "image"}


def photos(schema: Json) -> Json:
    most = number(schema.get("maxItems"))
    return {"type": "array", "items": photo(), "maxItems": int(most) if most and most >= 1 else MOST_IMAGES}


def rules_of(what: object, schema: Json) -> Json | Left:
    match what:
        case "boolean":
            return {"type": "boolean"}
        case "string":
            return string_rules(schema)
        case "integer" | "number":
            return number_rules(str(what), schema)
    return Left("other", f"its type ({text(what, 30) or 'none'}) is none that we take")


def string_rules(schema: Json) -> Json | Left:
    if "enum" not in schema:
        most = number(schema.get("maxLength"))
        return {"type": "string"} | ({"maxLength": int(most)} if most and most >= 1 else {})
    choices = list_of(schema["enum"])
    if not choices or len(choices) > MOST_CHOICES or not all(is_plain(each) for each in choices):
        return Left("other", "its choices are not plain texts")
    return {"type": "string", "enum": choices}


def number_rules(what: str, schema: Json) -> Json | Left:
    low, high = number(schema.get("minimum")), number(schema.get("maximum"))
    if "enum" in schema:
        choices = sorted(value for value in map(number, list_of(schema["enum"])) if value is not None)
        if not choices or len(choices) > MOST_CHOICES:
            return Left("other", "its choices are not numbers")
        return {"type": what, "enum": choices}
    if low is not None and high is not None and low > high:
        return Left("other", "its bounds leave no number")
    if what == "integer":
        low, high = (None if low is None else math.ceil(low)), (None if high is None else math.floor(high))
    return {"type": what} | {
        key: value for key, value in (("minimum", low), ("maximum", high)) if value is not None
    }


def about(key: str, schema: Json) -> Json:
    title = text(schema.get("title"), LONGEST_TITLE) or key.replace("_", " ").capitalize()
    description = text(schema.get("description"), LONGEST_DESCRIPTION)
    return {"title": title} | ({"description": description} if description else {})


def default_of(schema: Json, rules: Json) -> Json:
    """The model's own default, where it follows its own rules."""
    default = schema.get("default")
    return {"default": default} if default is not None and follows(default, rules) else {}


def follows(value: object, rules: Json) -> bool:
    match rules["type"]:
        case "boolean":
            return isinstance(value, bool)
        case "string":
            fits = isinstance(value, str) and is_plain(value) and len(value) <= rules.get("maxLength", 10_000)
            return fits and value in rules.get("enum", [value])
    found = number(value)
    is_whole = rules["type"] == "number" or isinstance(value, int)
    if found is None or not is_whole:
        return False
    in_bounds = rules.get("minimum", found) <= found <= rules.get("maximum", found)
    return in_bounds and found in rules.get("enum", [found])


def number(value: object) -> int | float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e15
    return value if is_number else None  # type: ignore[return-value]


def text(value: object, longest: int = 10_000) -> str:
    """In one line that Postgres can store and a terminal can show; nothing if it is no text."""
    if not isinstance(value, str):
        return ""
    clean = " ".join("".join(letter if letter.isprintable() else " " for letter in value).split())
    return clean if len(clean) <= longest else f"{clean[: longest - 1].rstrip()}…"


def is_plain(value: object) -> bool:
    return isinstance(value, str) and all(letter.isprintable() or letter == "\n" for letter in value)


def list_of(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def order_of(schema: object) -> float:
    place = number(schema.get("x-order")) if isinstance(schema, dict) else None
    return math.inf if place is None else place


def leaves(schema: object, schemas: Json, depth: int = 0) -> Iterator[Json]:
    """Every plain value in an output's schema."""
    here = resolved(schema, schemas)
    inner = here.get("properties")
    below = [
        *(inner.values() if isinstance(inner, dict) else []),
        *([here["items"]] if "items" in here else []),
    ]
    if not below or depth > DEEPEST:
        yield here
    else:
        for each in below[:MOST_CHOICES]:
            yield from leaves(each, schemas, depth + 1)
