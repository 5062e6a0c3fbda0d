"""One-time codes by e-mail. No mail is sent: a code is printed, and `make up` shows it."""

import hashlib
import re
import secrets
import uuid
from typing import Any, Literal

import psycopg

from local.gateway.database import Connection
from local.gateway.refused import Refused

Purpose = Literal["email_change", "email"]
PURPOSES: tuple[Purpose, ...] = ("email_change", "email")
VALID_FOR = "1 hour"  # the default of the CLI and of new projects
ADDRESS = re.compile(r"[^\s@\x00-\x1f\x7f]{1,64}@[^\s@\x00-\x1f\x7f]{1,190}")

STORE = """
insert into auth.one_time_tokens (user_id, token_type, token_hash, relates_to)
values (%(user)s, %(purpose)s, %(hash)s, %(email)s)
on conflict (user_id, token_type)
do update set token_hash = excluded.token_hash, relates_to = excluded.relates_to, created_at = now()
"""
SPEND = """
delete from auth.one_time_tokens
where token_type = %(purpose)s and token_hash = %(hash)s and relates_to = %(email)s
returning user_id, created_at > now() - %(valid_for)s::interval
"""
NOTE_CHANGE = "update auth.users set email_change = %s, email_change_sent_at = now() where id = %s"
CONFIRM = """
update auth.users
set email = %s, email_confirmed_at = now(), email_change = null, email_change_sent_at = null,
    is_anonymous = false, raw_app_meta_data = '{"provider": "email", "providers": ["email"]}',
    updated_at = now()
where id = %s
"""


def address_in(body: dict[str, Any]) -> str:
    email = body.get("email")
    if not isinstance(email, str) or not ADDRESS.fullmatch(email):
        raise Refused(400, "validation_failed", "Unable to validate email address: invalid format")
    return email.lower()


async def user_with(conn: Connection, email: str) -> uuid.UUID | None:
    row = await (await conn.execute("select id from auth.users where email = %s", (email,))).fetchone()
    return row[0] if row else None


async def send(conn: Connection, user_id: uuid.UUID, purpose: Purpose, email: str) -> None:
    """Store and print a new code, which replaces the user's earlier code of that purpose."""
    code = f"{secrets.randbelow(1_000_000):06}"
    facts = {"user": user_id, "purpose": purpose, "hash": hashed(email, code), "email": email}
    await conn.execute(STORE, facts)
    print(f"A mail to {email}: your code is {code}", flush=True)


async def change_address(conn: Connection, user_id: uuid.UUID, email: str) -> None:
    """Store the new address of an anonymous user, and send a code to it.

    The address becomes the user's own when the code comes back.
    """
    if await user_with(conn, email) is not None:
        message = "A user with this email address has already been registered"
        raise Refused(422, "email_exists", message)
    await conn.execute(NOTE_CHANGE, (email, user_id))
    await send(conn, user_id, "email_change", email)


async def spend(conn: Connection, purpose: Purpose, email: str, code: object) -> uuid.UUID | None:
    """Delete a code and return its user, or None for a wrong, an old or a used code.

    Auth makes no difference between these three.
    """
    facts = {"purpose": purpose, "hash": hashed(email, str(code)), "email": email, "valid_for": VALID_FOR}
    user_id, is_fresh = await (await conn.execute(SPEND, facts)).fetchone() or (None, False)
    return user_id if is_fresh else None


async def confirm(conn: Connection, user_id: uuid.UUID, email: str) -> None:
    try:
        await conn.execute(CONFIRM, (email, user_id))
    except psycopg.errors.UniqueViolation as error:  # another user confirmed this address first
        raise Refused(500, "unexpected_failure", "Database error updating user") from error


def hashed(email: str, code: str) -> str:
    return hashlib.sha224((email + code).encode(errors="replace")).hexdigest()
