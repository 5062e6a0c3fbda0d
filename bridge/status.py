"""`make status`: one screen for the operator, from SQL; exits 1 when something is wrong."""

import sys

import psycopg

import database
import settings
from bridge.store import Fact, Store


def main() -> int:
    store = Store(settings.load().database("bridge"))
    try:
        facts = store.status()
    except database.RoleRefused as error:
        print(error, file=sys.stderr)
        return 1
    except psycopg.Error as error:
        print(f"The database does not answer: {str(error).strip()}", file=sys.stderr)
        return 1
    finally:
        store.close()
    print_screen(facts)
    return 1 if any(fact.problem for fact in facts) else 0


def print_screen(facts: list[Fact]) -> None:
    width = max(len(fact.item) for fact in facts)
    for fact in facts:
        problem = f"   <- {fact.problem}" if fact.problem else ""
        print(f"{fact.item:<{width}}  {fact.value:>14}{problem}")


if __name__ == "__main__":
    sys.exit(main())
