"""Add the lines that functions and client need to the `supabase/config.toml` of another project.

The file is changed as text, so that its comments and its order stay. Existing values never change.
"""

import re
import tomllib
from pathlib import Path
from typing import Any

OURS = Path(__file__).resolve().parent.parent / "supabase" / "config.toml"
API_PORT = 54321  # the CLI's default
ANONYMOUS = """# The client signs in without a form. Enable it in the hosted project, too.
enable_anonymous_sign_ins = true"""
ISSUER = "# Auth of `supabase start` signs tokens under the address that an app uses; the functions know another one."


class InTheWay(Exception):
    """A value of this project contradicts the one that the functions need."""

    def __init__(self, *reasons: str) -> None:
        super().__init__(*reasons)
        self.reasons = reasons


def functions() -> list[str]:
    return list(tomllib.loads(OURS.read_text())["functions"])


def has_anonymous(text: str) -> bool:
    return bool(table(tomllib.loads(text), "auth").get("enable_anonymous_sign_ins"))


def merged(text: str, ours: str) -> str:
    """The text with the lines that it lacks.

    Raises:
        InTheWay: It says something else of a function of ours, or cannot be extended.
        tomllib.TOMLDecodeError: It is not TOML.
    """
    theirs = tomllib.loads(text)
    known = table(theirs, "functions")
    if wrong := [
        name for name in functions() if name in known and table(known, name).get("verify_jwt") is not False
    ]:
        raise InTheWay(*(f"[functions.{name}] must say verify_jwt = false" for name in wrong))
    new = text
    for name in functions():
        if name not in known:
            new = appended(new, block(ours, f"functions.{name}"))
    if "enable_anonymous_sign_ins" not in table(theirs, "auth"):
        new = with_lines(new, "auth", ANONYMOUS)
    if "TOKEN_ISSUER" not in table(table(theirs, "edge_runtime"), "secrets"):
        new = with_lines(new, "edge_runtime.secrets", f'{ISSUER}\nTOKEN_ISSUER = "{issuer_of(theirs)}"')
    refuse_loss(theirs, new)
    return new


def table(parent: dict[str, Any], name: str) -> dict[str, Any]:
    found = parent.get(name, {})
    return found if isinstance(found, dict) else {}


def issuer_of(theirs: dict[str, Any]) -> str:
    port = table(theirs, "api").get("port", API_PORT)
    return str(table(theirs, "auth").get("jwt_issuer") or f"http://127.0.0.1:{port}/auth/v1")


def block(text: str, name: str) -> str:
    """One table of ours, with its comments."""
    found = re.search(rf"^\[{re.escape(name)}\]\n(?:(?!\[|\n\[).*\n)*", text, re.MULTILINE)
    assert found is not None, name  # noqa: S101
    return found[0].strip()


def with_lines(text: str, name: str, lines: str) -> str:
    """Below the header of this table, or with the header at the end."""
    dots = r"\s*\.\s*".join(re.escape(part) for part in name.split("."))
    header = re.compile(rf"^[ \t]*\[\s*{dots}\s*\][ \t]*(?:#.*)?$", re.MULTILINE)
    if found := header.search(text):
        return f"{text[: found.end()]}\n{lines}{text[found.end() :]}"
    return appended(text, f"[{name}]\n{lines}")


def appended(text: str, lines: str) -> str:
    return f"{text.rstrip()}\n\n{lines}\n"


def refuse_loss(theirs: dict[str, Any], text: str) -> None:
    """Inline tables cannot be extended, and a header inside a text is none."""
    try:
        is_kept = contains(tomllib.loads(text), theirs)
    except tomllib.TOMLDecodeError:
        is_kept = False
    if not is_kept:
        raise InTheWay(
            "write `functions`, `auth` and `edge_runtime` as [tables], which lines can be added to"
        )


def contains(whole: Any, part: Any) -> bool:
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(k in whole and contains(whole[k], v) for k, v in part.items())
    return bool(whole == part)
