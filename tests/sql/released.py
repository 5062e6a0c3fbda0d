"""`python -m tests.sql.released`, run at a release, records the hash of each released migration.

`sha256sum --check` reads the file, from the folder of the migrations. Its entries stay: a released
migration has run in databases of others, so it is never edited, renamed or removed.
"""

import hashlib
import sys
from pathlib import Path

MIGRATIONS = Path(__file__).parents[2] / "supabase" / "migrations"
RELEASED = Path(__file__).parent / "released.sha256"


def hash_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def released(file: Path = RELEASED) -> dict[str, str]:
    """Hashes by file name; none before the first release."""
    lines = file.read_text().splitlines() if file.exists() else []
    return {name: digest for digest, name in (line.split() for line in lines)}


def broken(known: dict[str, str], folder: Path = MIGRATIONS) -> list[str]:
    """Forbidden changes of released migrations, and new migrations that sort too early.

    A database of a release would not apply a new migration that sorts before its last one.
    """
    there = {path.name: hash_of(path) for path in sorted(folder.glob("*.sql"))}
    last = max(known, default="")
    return [
        *(f"{name} was released and is gone" for name in known if name not in there),
        *(
            f"{name} was released and is edited"
            for name, digest in known.items()
            if there.get(name, digest) != digest
        ),
        *(f"{name} is new and stands before {last}" for name in there if name not in known and name < last),
    ]


def main(folder: Path = MIGRATIONS, file: Path = RELEASED) -> int:
    if problems := broken(released(file), folder):
        print("\n".join(problems), file=sys.stderr)
        return 1
    lines = [f"{hash_of(path)}  {path.name}\n" for path in sorted(folder.glob("*.sql"))]
    file.write_text("".join(lines))
    print(f"{len(lines)} migrations are released: {file.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
