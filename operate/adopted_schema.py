"""Find objects that the migrations of another project create under a name of ours."""

import re
from collections.abc import Iterator
from pathlib import Path

KINDS = "table|view|materialized view|type|function|sequence|schema"
STATEMENT = re.compile(
    rf"\b(create|drop)\s+(?:or\s+replace\s+)?(?:unlogged\s+)?({KINDS})\s+(?:if\s+(?:not\s+)?exists\s+)?([\w.]+)",
    re.IGNORECASE,
)
BUCKET = re.compile(r"insert\s+into\s+storage\.buckets\b[^;]*", re.IGNORECASE)
POLICY = re.compile(r"create\s+policy\s+(.+?)\s+on\s+((?:storage|realtime)\.\w+)", re.IGNORECASE)
TRIGGER = re.compile(r"create\s+(?:or\s+replace\s+)?trigger\s+(\w+)[^;]*?\bon\s+(auth\.\w+)", re.IGNORECASE)
COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
BUCKETS = ("generations", "inputs")


def collisions(theirs: Path, ours: Path) -> Iterator[str]:
    """One line for each thing that both make, or file that stands at the same moment."""
    mine = {path.name: path for path in sorted(ours.glob("*.sql"))}
    others = [path for path in sorted(theirs.glob("*.sql")) if path.name not in mine]
    moments = {name.partition("_")[0]: name for name in mine}
    for path in others:
        if same := moments.get(path.stem.partition("_")[0]):
            yield f"supabase/migrations/{path.name} has the version of {same}"
    taken = set().union(*(made([path]).keys() for path in mine.values()))
    for name, path in made(others).items():
        if name in taken:
            yield f"supabase/migrations/{path.name} makes {name}, and so does Pilotlight"


def made(paths: list[Path]) -> dict[str, Path]:
    """The objects that exist after these migrations, each with the file that made it."""
    found: dict[str, Path] = {}
    for path in paths:
        text = COMMENT.sub("", path.read_text(errors="replace")).replace('"', "")
        for verb, kind, name in STATEMENT.findall(text):
            key = name_of(kind, name)
            if verb.lower() == "create":
                found[key] = path
            else:
                found.pop(key, None)
        for statement in BUCKET.findall(text):
            found |= {f"the bucket {name}": path for name in BUCKETS if f"'{name}'" in statement}
        found |= {f"the policy {name} of {table}": path for name, table in POLICY.findall(text)}
        found |= {f"the trigger {name} of {table}": path for name, table in TRIGGER.findall(text)}
    return found


def name_of(kind: str, name: str) -> str:
    if kind.lower() == "schema":
        return f"the schema {name.lower()}"
    return name.lower() if "." in name else f"public.{name.lower()}"
