"""The files of the client that `make adopt` copies: the feature and its imports, in one folder."""

import json
import re
from functools import cache
from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent / "app" / "src"
FOLDER = Path("features/generations")
# An app mounts these itself; the feature does not import them.
MOUNTED = ("query-client", "session", "warm", "pick-photo")
# An app with its own client or name changes these two, so a later run leaves them alone.
OF_THE_APP = ("lib/supabase.ts", "lib/name.ts")

IMPORTED = re.compile(r"""(?:^import|\bfrom|\bimport\()\s*['"]([^'"]+)['"]""", re.MULTILINE)
OUR_NAME = "'pilotlight'"
EVERY_EXPO_APP_HAS = {"expo", "react", "react-dom", "react-native"}


def files(name: str) -> dict[Path, str]:
    """The files to write, by path below the app's sources; `name` prefixes the app's keys on the
    disk.
    """
    written = {}
    for path, text in sources().items():
        is_feature = path.is_relative_to(SOURCE / FOLDER)
        place = FOLDER / path.relative_to(SOURCE / FOLDER if is_feature else SOURCE)
        up = "../" * (len(place.relative_to(FOLDER).parts) - 1) or "./"
        text = text.replace("'@/", f"'{up}")
        written[place] = text.replace(OUR_NAME, js(name)) if place == FOLDER / "lib/name.ts" else text
    return written


def js(text: str) -> str:
    return "'" + json.dumps(text)[1:-1].replace("'", "\\'") + "'"


def is_of_the_app(path: Path) -> bool:
    return any(path.match(str(FOLDER / name)) for name in OF_THE_APP)


def packages() -> set[str]:
    """The packages that these files import, and that an Expo app may lack."""
    named = {name for text in sources().values() for name in IMPORTED.findall(text)}
    outside = {name for name in named if not name.startswith((".", "@/"))}
    parts = {name: name.split("/") for name in outside}
    return {"/".join(parts[name][: 2 if name[0] == "@" else 1]) for name in outside} - EVERY_EXPO_APP_HAS


@cache
def sources() -> dict[Path, str]:
    """The feature, and all that it imports."""
    found: dict[Path, str] = {}
    waiting = [path for path in sorted((SOURCE / FOLDER).rglob("*.ts*")) if ".test." not in path.name]
    waiting += [path for name in MOUNTED for path in variants(SOURCE / "lib" / name)]
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        found[path] = path.read_text()
        for name in IMPORTED.findall(found[path]):
            if name.startswith("@/"):
                waiting += variants(SOURCE / name.removeprefix("@/"))
            elif name.startswith("."):
                waiting += variants(path.parent / name)
    return dict(sorted(found.items()))


def variants(module: Path) -> list[Path]:
    """The files of a module: one, or one for each platform."""
    there = module.resolve()
    return [
        path
        for path in sorted(there.parent.glob(f"{there.name}.*"))
        if path.suffix in (".ts", ".tsx") and ".test." not in path.name
    ]
