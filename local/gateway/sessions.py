"""Sessions and their refresh tokens.

A token is valid once. If a client sends a spent token, its session can no longer be refreshed.

One spent token is still accepted: the parent of the active token. Its client did not receive the
answer, or sent two requests at once, and gets the active token again.
"""

import secrets
import time
import uuid
from typing import Any

from local.gateway import keys
from local.gateway.database import Connection
from local.gateway.refused import Refused
from local.stack import Stack

TOKEN_SECONDS = 3600  # until an access token expires

USER = """
select json_build_object(
  'id', id, 'aud', aud, 'role', role, 'email', coalesce(email, ''), 'phone', coalesce(phone, ''),
  'email_confirmed_at', email_confirmed_at, 'new_email', email_change,
  'email_change_sent_at', email_change_sent_at,
  'last_sign_in_at', last_sign_in_at,
  'app_metadata', coalesce(raw_app_meta_data, '{}'),
  'user_metadata', coalesce(raw_user_meta_data, '{}'),
  'identities', json_build_array(), 'is_anonymous', is_anonymous, 'created_at', created_at,
  'updated_at', updated_at)
from auth.users where id = %s
"""
LOCK = """
select id from auth.sessions
where id = (select session_id from auth.refresh_tokens where token = %s)
for update
"""


async def user_of(conn: Connection, user_id: object) -> dict[str, Any] | None:
    row = await (await conn.execute(USER, (user_id,))).fetchone()
    return row[0] if row else None


async def begin(conn: Connection, stack: Stack, user_id: uuid.UUID) -> dict[str, Any]:
    session_id = uuid.uuid4()
    await conn.execute("insert into auth.sessions (id, user_id) values (%s, %s)", (session_id, user_id))
    await conn.execute("update auth.users set last_sign_in_at = now() where id = %s", (user_id,))
    return await issue(conn, stack, session_id, await add_token(conn, session_id, parent=None))


async def renew(conn: Connection, stack: Stack, shown: str) -> dict[str, Any] | None:
    """Return the renewed session, or None for a spent token.

    With None the session has lost its active token, and the caller must commit that.
    """
    active = "select token, parent from auth.refresh_tokens where session_id = %s and not revoked"
    spend = "update auth.refresh_tokens set revoked = true where session_id = %s"
    session = await (await conn.execute(LOCK, (shown,))).fetchone()
    if session is None:
        message = "Invalid Refresh Token: Refresh Token Not Found"
        raise Refused(400, "refresh_token_not_found", message)
    # Read after the lock: a concurrent request may have spent the token while we waited.
    token, parent = await (await conn.execute(active, session)).fetchone() or (None, None)
    if token is not None and parent == shown:
        return await issue(conn, stack, session[0], token)
    await conn.execute(spend, session)
    if token != shown:
        return None
    return await issue(conn, stack, session[0], await add_token(conn, session[0], parent=shown))


async def add_token(conn: Connection, session_id: uuid.UUID, *, parent: str | None) -> str:
    token = secrets.token_urlsafe(18)
    insert = "insert into auth.refresh_tokens (token, session_id, parent) values (%s, %s, %s)"
    await conn.execute(insert, (token, session_id, parent))
    return token


async def issue(conn: Connection, stack: Stack, session_id: uuid.UUID, refresh_token: str) -> dict[str, Any]:
    """Return the object that clients call a session."""
    began = "select user_id, extract(epoch from created_at)::bigint from auth.sessions where id = %s"
    user_id, began_at = await (await conn.execute(began, (session_id,))).fetchone() or (None, 0)
    user = await user_of(conn, user_id) or {}
    copied = ("aud", "role", "email", "phone", "app_metadata", "user_metadata", "is_anonymous")
    claims = {name: user[name] for name in copied} | {
        "iss": keys.issuer(stack),
        "sub": user["id"],
        "aal": "aal1",
        "amr": [{"method": "anonymous" if user["is_anonymous"] else "otp", "timestamp": began_at}],
        "session_id": str(session_id),
    }
    return {
        "access_token": keys.sign(stack, claims, seconds=TOKEN_SECONDS),
        "token_type": "bearer",
        "expires_in": TOKEN_SECONDS,
        "expires_at": int(time.time()) + TOKEN_SECONDS,
        "refresh_token": refresh_token,
        "user": user,
    }
