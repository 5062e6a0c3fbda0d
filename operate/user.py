"""`make user WHO=email|id [BLOCK=1|UNBLOCK=1]`: what one user has, bought, and asked for last."""

import re
import sys
from collections.abc import Sequence
from typing import Any

from psycopg.rows import dict_row

import database
import logs
from operate import Refused
from operate.connection import as_owner

USAGE = "make user WHO=email|id [BLOCK=1|UNBLOCK=1]"
UUID_FORM = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
LINES = 20  # of each list

FIND = """
select u.id, u.email, u.is_anonymous, e.*, private.is_paid(e) as is_paid_now
from auth.users u join public.entitlements e on e.user_id = u.id
where {} order by u.id limit 2
"""
SET_BLOCKED = """
update public.entitlements set blocked_at = case when %s then coalesce(blocked_at, now()) end
where user_id = %s
"""
SUMS = "select coalesce(sum(amount), 0), coalesce(sum(owed), 0) from public.credit_entries where user_id = %s"
LISTS = {
    "ledger": """
select created_at, kind, amount, reason, coalesce(job_id::text, external_ref, '') as about
from public.credit_entries where user_id = %s order by id desc limit %s
""",
    "subscriptions": """
select expires_at, store, product_id, subscription
from private.subscriptions where user_id = %s order by expires_at desc limit %s
""",
    "purchases": """
select received_at, type, store, product_id, effect
from private.purchase_events where %s::text = any (customer) order by received_at desc limit %s
""",
    "reports": """
select created_at, case when closed_at is null then 'open' else 'closed' end, reason,
  generation_id, coalesce(text, '')
from private.reports where user_id = %s order by created_at desc limit %s
""",
    "jobs": """
select created_at, status, model_id, attempt, coalesce(error_code::text, '') as error_code, id
from public.jobs where user_id = %s order by created_at desc limit %s
""",
}


def main(arguments: Sequence[str]) -> int:
    who, block, unblock = (*arguments, "", "", "")[:3]
    try:
        if not who or (block and unblock):
            raise Refused(USAGE)
        with as_owner() as conn:
            user = find(conn, who)
            if block or unblock:
                conn.execute(SET_BLOCKED, (bool(block), user["id"]))
                user = find(conn, str(user["id"]))
            show(conn, user)
    except Refused as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def find(conn: database.Connection, who: str) -> dict[str, Any]:
    condition = "u.id = %s" if UUID_FORM.fullmatch(who) else "lower(u.email) = lower(%s)"
    with conn.cursor(row_factory=dict_row) as cursor:
        found = cursor.execute(FIND.format(condition).encode(), (who,)).fetchall()
    if not found:
        raise Refused("There is no such user.")
    if len(found) > 1:
        raise Refused("Several users have this address: give the id of one.")
    return found[0]


def show(conn: database.Connection, user: dict[str, Any]) -> None:
    ((credits, owed),) = conn.execute(SUMS, (user["id"],)).fetchall()
    is_right = (credits, owed) == (user["credits"], user["owed"])
    facts = {
        "id": user["id"],
        "email": user["email"] or ("anonymous" if user["is_anonymous"] else "-"),
        "since": user["created_at"],
        "credits": f"{user['credits']}, owed {user['owed']}"
        + ("" if is_right else f"   <- the ledger says {credits}, owed {owed}"),
        "paid": f"{'yes' if user['is_paid_now'] else 'no'}, until {user['paid_until'] or '-'}",
        "blocked": user["blocked_at"] or "no",
    }
    for name, value in facts.items():
        print(f"{name:<8} {value}")
    for title, query in LISTS.items():
        print_list(title, conn.execute(query.encode(), (user["id"], LINES)).fetchall())


def print_list(title: str, rows: list[tuple[Any, ...]]) -> None:
    print(f"\nlast {title}" if rows else f"\nno {title}")
    for at, *rest in rows:
        print(f"  {at:%Y-%m-%d %H:%M:%S}  " + "  ".join(map(logs.on_one_line, rest)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
