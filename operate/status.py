"""`make status [ARGS=--json]`: one screen for the operator, from SQL; exits 1 on a fault."""

import argparse
import json
import sys
from contextlib import suppress
from dataclasses import asdict, dataclass

import psycopg
from psycopg.rows import class_row

import database
from operate import Refused
from operate.connection import as_process

AUDITED_AT_ONCE = 1000  # users; a small project is audited whole by every look, in milliseconds


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of what an operator sees; `problem` says what is wrong with it."""

    item: str
    value: str
    problem: str | None


def main() -> int:
    parser = argparse.ArgumentParser(prog="make status", description=__doc__)
    parser.add_argument("--json", action="store_true", help="for machines")
    as_json = parser.parse_args().json
    try:
        facts = look()
    except Refused as error:
        print(json.dumps({"is_well": False, "error": str(error)}) if as_json else error, file=sys.stderr)
        return 1
    is_well = not any(fact.problem for fact in facts)
    if as_json:
        print(json.dumps({"is_well": is_well, "facts": [asdict(fact) for fact in facts]}, indent=2))
    else:
        print_screen(facts)
    return 0 if is_well else 1


def look() -> list[Fact]:
    """The facts of the database. Raises Refused."""
    with as_process("bridge") as conn:
        audit_some(conn)
        with conn.cursor(row_factory=class_row(Fact)) as cursor:
            return cursor.execute("select * from private.operator_status()").fetchall()


def audit_some(conn: database.Connection) -> None:
    """A step of the audit. Without it, the screen still says what the last one found."""
    with suppress(psycopg.errors.QueryCanceled, psycopg.errors.ReadOnlySqlTransaction):
        conn.execute("select private.audit_ledger(%s)", (AUDITED_AT_ONCE,))


def print_screen(facts: list[Fact]) -> None:
    width = max(len(fact.item) for fact in facts)
    for fact in facts:
        problem = f"   <- {fact.problem}" if fact.problem else ""
        print(f"{fact.item:<{width}}  {fact.value:>14}{problem}")


if __name__ == "__main__":
    sys.exit(main())
