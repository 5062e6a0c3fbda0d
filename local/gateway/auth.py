"""The part of Auth that our clients use.

It has anonymous accounts, their sessions, and e-mail addresses confirmed by one-time codes.
"""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import psycopg
from psycopg.types.json import Jsonb
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from local.gateway import codes, keys, sessions
from local.gateway.calls import Call, EveryOther
from local.gateway.database import Connection, transaction
from local.gateway.refused import Refused, not_spoken

INSERT = """
insert into auth.users (id, aud, role, raw_app_meta_data, raw_user_meta_data, is_anonymous,
                        created_at, updated_at)
values (%s, 'authenticated', 'authenticated', '{}', %s, true, now(), now())
"""
END = """
delete from auth.sessions
where user_id = %(user)s
  and case %(scope)s
        when 'local' then id = %(session)s::uuid
        when 'others' then id is distinct from %(session)s::uuid
        else true
      end
"""
CHALLENGE = ("code_challenge", "code_challenge_method")
GUARD = ("gotrue_meta_security",)
SCOPES = ("global", "local", "others")


@asynccontextmanager
async def acting(request: Request) -> AsyncIterator[Connection]:
    """Open a transaction of the Auth service, and turn its errors into Auth's error answers."""
    try:
        async with transaction(request.app.state.auth_pool) as conn:
            yield conn
    except psycopg.DataError as error:
        raise Refused(400, "validation_failed", str(error)) from error
    except psycopg.Error as error:  # such as one from a trigger on auth.users
        raise Refused(500, "unexpected_failure", f"Database error: {error}") from error


async def sign_up(request: Request, body: dict[str, Any]) -> Response:
    """Make an anonymous account and begin its session.

    `gotrue_meta_security` has the token of a CAPTCHA. It is not checked, as in a project without
    CAPTCHA.
    """
    data = body.get("data") or {}
    if not isinstance(data, dict):
        raise Refused(400, "validation_failed", "data must be an object")
    user_id = uuid.uuid4()
    async with acting(request) as conn:
        await conn.execute(INSERT, (user_id, Jsonb(data)))
        return JSONResponse(await sessions.begin(conn, request.app.state.stack, user_id))


async def refresh(request: Request, body: dict[str, Any]) -> Response:
    if request.query_params.get("grant_type") is None:
        raise Refused(400, "validation_failed", "unsupported_grant_type")
    async with acting(request) as conn:
        shown = str(body.get("refresh_token", ""))
        session = await sessions.renew(conn, request.app.state.stack, shown)
    if session is None:
        raise Refused(400, "refresh_token_already_used", "Invalid Refresh Token: Already Used")
    return JSONResponse(session)


async def user(request: Request) -> Response:
    claims = claims_of(request)
    async with acting(request) as conn:
        return JSONResponse(await signed_in(conn, claims))


async def update_user(request: Request, body: dict[str, Any]) -> Response:
    """Store the address of an anonymous user as unconfirmed, until the code comes back."""
    refuse_challenge(body)
    email = codes.address_in(body)
    claims = claims_of(request)
    async with acting(request) as conn:
        found = await signed_in(conn, claims)
        if not found["is_anonymous"]:
            raise not_spoken("a change of the address of an account that has one")
        await codes.change_address(conn, claims["sub"], email)
        return JSONResponse(await sessions.user_of(conn, claims["sub"]))


async def send_code(request: Request, body: dict[str, Any]) -> Response:
    refuse_challenge(body)
    email = codes.address_in(body)
    async with acting(request) as conn:
        user_id = await codes.user_with(conn, email)
        if user_id is None and body.get("create_user", True):
            raise not_spoken(
                "the body field create_user for an unknown address: only anonymous users are made"
            )
        if user_id is None:
            raise Refused(422, "otp_disabled", "Signups not allowed for otp")
        await codes.send(conn, user_id, "email", email)
    return JSONResponse({})


async def verify(request: Request, body: dict[str, Any]) -> Response:
    """Return a new session for a valid code. No other session ends."""
    purpose = body.get("type")
    if purpose not in codes.PURPOSES:
        raise not_spoken(f"the body field type={purpose}")
    email = codes.address_in(body)
    async with acting(request) as conn:
        user_id = await codes.spend(conn, purpose, email, body.get("token"))
        if user_id is None:
            raise Refused(403, "otp_expired", "Token has expired or is invalid")
        if purpose == "email_change":
            await codes.confirm(conn, user_id, email)
        return JSONResponse(await sessions.begin(conn, request.app.state.stack, user_id))


def refuse_challenge(body: dict[str, Any]) -> None:
    """Refuse a code challenge.

    Clients always send both fields, and fill them only for the flow with links.
    """
    if body.get("code_challenge") or body.get("code_challenge_method"):
        raise not_spoken("the body field code_challenge: codes need none")


async def log_out(request: Request, body: dict[str, Any]) -> Response:
    claims = claims_of(request)
    ended = {
        "user": claims["sub"],
        "session": claims.get("session_id"),
        "scope": request.query_params.get("scope"),
    }
    async with acting(request) as conn:
        await conn.execute(END, ended)
    return Response(status_code=204)


async def jwks(request: Request) -> Response:
    return JSONResponse(keys.jwks(request.app.state.stack), headers={"Cache-Control": "public, max-age=600"})


async def health(request: Request) -> Response:
    return JSONResponse({"name": "Pilotlight's stand-in for Supabase Auth"})


def claims_of(request: Request) -> dict[str, Any]:
    bearer = keys.bearer_of(request)
    if bearer is None:
        raise Refused(401, "no_authorization", "This endpoint requires a valid Bearer token")
    try:
        claims = keys.identify(request.app.state.stack, keys.apikey_of(request), bearer).claims
    except keys.InvalidToken as error:
        raise Refused(403, "bad_jwt", str(error)) from None
    try:
        return claims | {"sub": uuid.UUID(claims.get("sub"))}
    except (ValueError, TypeError, AttributeError):
        raise Refused(403, "bad_jwt", "invalid claim: sub must be a user's id") from None


async def signed_in(conn: Connection, claims: dict[str, Any]) -> dict[str, Any]:
    """Return the user of a token, whose session and account must still exist.

    A token outlives the session and the account that it was made for.
    """
    if "session_id" in claims:
        find = "select from auth.sessions where id = %s"
        if await (await conn.execute(find, (claims["session_id"],))).fetchone() is None:
            message = "Session from session_id claim in JWT does not exist"
            raise Refused(403, "session_not_found", message)
    found = await sessions.user_of(conn, claims["sub"])
    if found is None:
        raise Refused(403, "user_not_found", "User from sub claim in JWT does not exist")
    return found


routes = [
    Call("POST", "/signup", sign_up, query={}, fields=("data", *GUARD)),
    Call("POST", "/token", refresh, query={"grant_type": ("refresh_token",)}, fields=("refresh_token",)),
    Call("GET", "/user", user, query={}),
    Call("PUT", "/user", update_user, query={}, fields=("email", *CHALLENGE)),
    Call("POST", "/otp", send_code, query={}, fields=("email", "data", "create_user", *GUARD, *CHALLENGE)),
    Call("POST", "/verify", verify, query={}, fields=("email", "token", "type", *GUARD)),
    Call("POST", "/logout", log_out, query={"scope": SCOPES}, fields=()),
    Call("GET", "/.well-known/jwks.json", jwks, query={}),
    Call("GET", "/health", health, query={}),
    EveryOther(""),
]
