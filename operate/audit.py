"""`make audit`: compare every balance with its ledger; exits 1 when one differs."""

import sys
from uuid import UUID

from operate import Refused
from operate.connection import as_process

USERS_AT_ONCE = 1000  # users; one statement reads their entries
LONGEST_STATEMENT = "10min"  # a user may have millions of entries


def main() -> int:
    try:
        count, wrong = audit()
    except Refused as error:
        print(error, file=sys.stderr)
        return 1
    for user_id in wrong:
        print(f"{user_id}: the balance differs from the ledger   <- make user WHO={user_id}")
    print(f"{count} users were compared, {len(wrong)} of them differ.")
    return 1 if wrong else 0


def audit() -> tuple[int, list[UUID]]:
    """How many users were compared, and at most 100 whose balance differs. Raises Refused."""
    count, is_complete, wrong = 0, False, []
    with as_process("bridge") as conn:
        conn.execute(f"set statement_timeout = '{LONGEST_STATEMENT}'".encode())
        while not is_complete:
            query = "select checked, is_complete, wrong from private.audit_ledger(%s, %s)"
            ((checked, is_complete, wrong),) = conn.execute(query, (USERS_AT_ONCE, count == 0)).fetchall()
            count += checked
    return count, wrong


if __name__ == "__main__":
    sys.exit(main())
