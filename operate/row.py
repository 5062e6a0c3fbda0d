"""The row of `private.models`, and the one statement that writes it."""

import json
from dataclasses import dataclass, field
from typing import Any

from psycopg import sql

COLUMNS = (
    "id", "title", "description", "kind", "cost", "provider", "provider_model", "defaults", "input_schema", "timeout",
    "max_attempts",
)  # fmt: skip


@dataclass(slots=True)
class Row:
    id: str
    title: str
    description: str
    kind: str
    cost: int
    provider_model: str
    defaults: dict[str, Any]
    input_schema: dict[str, Any]
    timeout: str
    provider: str = "replicate"
    max_attempts: int = 3
    notes: list[str] = field(default_factory=list)  # for the operator


def statement(row: Row) -> str:
    """An insert that updates the row of this model, but never another model's of the same id."""
    values = [quoted(getattr(row, column)) for column in COLUMNS]
    lines = [
        f"insert into private.models ({', '.join(COLUMNS)})",
        "values (",
        "  " + ",\n  ".join(values),
        ")",
    ]
    lines += ["on conflict (id) do update set"]
    lines += [",\n".join(f"  {column} = excluded.{column}" for column in COLUMNS[1:])]
    lines += ["where models.provider = excluded.provider"]
    lines += ["  and split_part(models.provider_model, ':', 1) = split_part(excluded.provider_model, ':', 1)"]
    return "\n".join([*lines, "returning id;  -- no row: the id belongs to another model; choose another id"])


def quoted(value: object) -> str:
    """A literal. psycopg escapes quotes and backslashes under any setting of the server."""
    if isinstance(value, dict):
        value = written(value, deep=2)
    return sql.Literal(value).as_string(None).strip()


def written(value: dict[str, Any], *, deep: int) -> str:
    """JSON with a line for each property, as a person reviews it."""
    if not deep or not value:
        return plain(value)
    entries = (
        f"{plain(key)}: {written(each, deep=deep - 1) if isinstance(each, dict) else plain(each)}"
        for key, each in value.items()
    )
    indent = "\n" + "  " * (4 - deep)
    return "{" + indent + f",{indent}".join(entries) + indent[:-2] + "}"


def plain(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
