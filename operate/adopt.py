"""`make adopt INTO=../my-app` copies migrations, Edge Functions and the client into an Expo app.

The app needs a Supabase folder. If anything is in the way, it is named and nothing is written. A
second run changes nothing.
"""

import json
import os
import re
import sys
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from operate import Refused, adopted_client, adopted_config, adopted_schema

ROOT = Path(__file__).resolve().parent.parent
MIGRATIONS = Path("supabase/migrations")
FUNCTIONS = Path("supabase/functions")
CONFIG = Path("supabase/config.toml")
USAGE = "make adopt INTO=../my-app, the folder of an Expo app"


@dataclass(slots=True)
class Plan:
    new: dict[Path, str] = field(default_factory=dict)  # by the place, below the app
    collisions: list[str] = field(default_factory=list)


def main(arguments: Sequence[str]) -> int:
    try:
        app = find(arguments[0] if arguments else "")
        plan = plan_for(app)
        refuse_collisions(app, plan)
        write(app, plan)
    except Refused as error:
        print(error, file=sys.stderr)
        return 1
    print(report(app, plan))
    return 0


def find(into: str) -> Path:
    """The folder that INTO names. Raises Refused with the cure if it cannot be it."""
    if not into.strip():
        raise Refused(f"INTO is missing: {USAGE}.")
    app = Path(into).expanduser().resolve()
    if app == ROOT or ROOT in app.parents:
        raise Refused(f"{app} lies in this repository: INTO names an app of your own, outside of it.")
    if not app.is_dir():
        raise Refused(f"There is no folder {app}: {USAGE}.")
    if "expo" not in packages_of(app):
        raise Refused(
            f"{app} is no Expo app: expo is not among the dependencies of its package.json. Give the folder"
            " that has it, or make an app with `npx create-expo-app`."
        )
    if not (app / CONFIG).is_file():
        raise Refused(f"{app} has no {CONFIG}: run `npx supabase@3 init` there.")
    return app


def packages_of(app: Path) -> dict[str, Any]:
    with suppress(OSError, ValueError, AttributeError, TypeError):
        return dict(json.loads((app / "package.json").read_text())["dependencies"])
    return {}


def name_of(app: Path) -> str:
    with suppress(ValueError, AttributeError):
        return str(json.loads((app / "package.json").read_text()).get("name") or app.name)
    return app.name


def plan_for(app: Path) -> Plan:
    """List missing files of the app, and files that are in the way. Writes nothing."""
    plan = Plan()
    for path, text in files(app):
        if adopted_client.is_of_the_app(path) and (app / path).is_file():
            continue  # theirs since the first run
        add(plan, app, path, text)
    plan.collisions += functions_in_the_way(app)
    plan.collisions += adopted_schema.collisions(app / MIGRATIONS, ROOT / MIGRATIONS)
    merge_config(plan, app)
    return plan


def files(app: Path) -> Iterator[tuple[Path, str]]:
    for path in sorted((ROOT / MIGRATIONS).glob("*.sql")):
        yield MIGRATIONS / path.name, path.read_text()
    for path in sorted((ROOT / FUNCTIONS).rglob("*.ts")):
        yield path.relative_to(ROOT), path.read_text()
    source = Path("src") if (app / "src").is_dir() else Path()
    for name, text in adopted_client.files(name_of(app)).items():
        yield source / name, text


def add(plan: Plan, app: Path, path: Path, text: str) -> None:
    there = app / path
    obstacle = next((parent for parent in there.parents if parent.exists() and not parent.is_dir()), None)
    if obstacle:
        plan.collisions.append(f"{obstacle.relative_to(app)} is a file, and {path} needs a folder")
    elif there.is_file():
        if read(there) != text:
            plan.collisions.append(f"{path} is there already and differs")
    elif there.exists() or there.is_symlink():
        plan.collisions.append(f"{path} is there already and is no file")
    else:
        plan.new[path] = text


def functions_in_the_way(app: Path) -> Iterator[str]:
    """Find a folder with the name of our function and another function in it."""
    for ours in sorted((ROOT / FUNCTIONS).glob("[!_]*/")):
        theirs = app / FUNCTIONS / ours.name
        if theirs.is_dir() and not any((theirs / path.name).exists() for path in ours.iterdir()):
            yield f"{FUNCTIONS / ours.name} is there already and holds another function"


def merge_config(plan: Plan, app: Path) -> None:
    text = read(app / CONFIG)
    try:
        merged = adopted_config.merged(text, (ROOT / CONFIG).read_text())
    except tomllib.TOMLDecodeError as error:
        raise Refused(f"{app / CONFIG} is not TOML: {error}.") from None
    except adopted_config.InTheWay as error:
        plan.collisions += [f"{CONFIG}: {reason}" for reason in error.reasons]
    else:
        if merged != text:
            plan.new[CONFIG] = merged


def read(path: Path) -> str:
    """Its text, with line ends as they are in git."""
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(f"{path} cannot be read: {error}.") from None


def refuse_collisions(app: Path, plan: Plan) -> None:
    if plan.collisions:
        raise Refused(
            f"Nothing was written to {app}, since this is in the way:\n\n  "
            + "\n  ".join(plan.collisions)
            + "\n\nRename your own files. Commit and delete files of an earlier Pilotlight, run this again"
            " and read the difference; a migration that was applied stays as it is."
        )
    folders = {next(parent for parent in (app / path).parents if parent.is_dir()) for path in plan.new}
    targets = [*folders, *([app / CONFIG] if CONFIG in plan.new else [])]
    if closed := [str(place) for place in sorted(targets) if not os.access(place, os.W_OK)]:
        raise Refused(f"Nothing was written: {closed[0]} is read-only. Make it writable: chmod u+w.")


def write(app: Path, plan: Plan) -> None:
    """All of it, or nothing: what was written before an error is taken away again."""
    before = (app / CONFIG).read_bytes()
    done: list[Path] = []
    try:
        for path, text in plan.new.items():
            place = app / path
            place.parent.mkdir(parents=True, exist_ok=True)
            done.append(place)
            place.write_text(text, newline="\r\n" if path == CONFIG and b"\r\n" in before else "\n")
    except OSError as error:
        for place in done:
            with suppress(OSError):
                place.unlink() if place != app / CONFIG else place.write_bytes(before)
        raise Refused(f"Nothing is left in {app}, since not all could be written: {error}.") from None


def report(app: Path, plan: Plan) -> str:
    if not plan.new:
        said = f"Nothing to do: {app} has all of it."
    else:
        counts = {
            "migrations": sum(path.parent == MIGRATIONS for path in plan.new),
            "files of Edge Functions": sum(FUNCTIONS in path.parents for path in plan.new),
            "files of the client": sum(adopted_client.FOLDER.name in path.parts for path in plan.new),
        }
        named = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
        changed = f"{', and ' if named else ''}lines at {CONFIG}" if CONFIG in plan.new else ""
        said = f"Written to {app}: {named}{changed}."
    return "\n".join(
        [said, "", "Left to do there; app/README.md of this repository has the code:", "", *steps(app)]
    )


def steps(app: Path) -> Iterator[str]:
    source = "src/" if (app / "src").is_dir() else ""
    missing = sorted(adopted_client.packages() - packages_of(app).keys())
    yield f"  1. npx expo install {' '.join(missing)}" if missing else "  1. The packages are installed."
    yield "  2. .env: EXPO_PUBLIC_SUPABASE_URL=https://<ref>.supabase.co"
    yield "           EXPO_PUBLIC_SUPABASE_PUBLISHABLE_KEY=sb_publishable_…"
    yield f"  3. npx supabase@3 db push{order(app)} --remote"
    yield f"  4. npx supabase@3 functions deploy {' '.join(sorted(adopted_config.functions()))}"
    yield "     Then a bridge, a worker and a model that is enabled: docs/deploy.md. Until then: `make up`."
    yield f"  5. Mount the hooks of {source}{adopted_client.FOLDER} at the root, and draw the gallery."
    if checks_functions(app):
        yield '\nIts tsconfig.json takes in supabase/, whose functions are Deno\'s: add "supabase" to its `exclude`.'
    if not adopted_config.has_anonymous(read(app / CONFIG)):
        yield "\nAnonymous sign-ins are off in its config.toml: turn them on there and in the project."


TAKES_IN_ALL = re.compile(r'"(\./)?(\*\*/\*(\.tsx?)?|\.?)"')


def checks_functions(app: Path) -> bool:
    """Whether the app's type check would include the Edge Functions. The file may have comments."""
    tsconfig = app / "tsconfig.json"
    if not tsconfig.is_file():
        return False
    text = read(tsconfig)
    if "supabase" in members(text, "exclude"):
        return False
    # TypeScript takes in every file where neither is set.
    is_limited = '"include"' in text or '"files"' in text
    return not is_limited or bool(TAKES_IN_ALL.search(members(text, "include")))


def members(text: str, name: str) -> str:
    """The list of this name, as it is written."""
    found = re.search(rf'"{name}"\s*:\s*\[([^\]]*)\]', text)
    return found[1] if found else ""


def order(app: Path) -> str:
    """The option that the CLI needs for migrations that are older than the last applied one."""
    ours = {path.name for path in (ROOT / MIGRATIONS).glob("*.sql")}
    theirs = {path.name for path in (app / MIGRATIONS).glob("*.sql")} - ours
    return (
        " --include-all      # yours are newer than some of these"
        if theirs and max(theirs) > min(ours)
        else ""
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
