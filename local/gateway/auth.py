"""Auth, as far as our clients use it: anonymous and password accounts, confirmed at once, and their sessions."""

import base64
import hashlib
import hmac
import secrets
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import psycopg
from psycopg.types.json import Jsonb
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.gateway import keys, sessions
from local.gateway.database import Connection, transaction
from local.gateway.json_body import NotJson, load
from local.gateway.refusal import Refusal

INSERT = """
insert into auth.users (id, aud, role, email, encrypted_password, email_confirmed_at, raw_app_meta_data,
                        raw_user_meta_data, is_anonymous, created_at, updated_at)
values (%(id)s, 'authenticated', 'authenticated', %(email)s, %(password)s, %(confirmed)s::timestamptz,
        %(app)s, %(data)s, %(anonymous)s, now(), now())
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


def denied(status: int, code: str, message: str) -> Refusal:
    """Bodies have two shapes, by the version a client names; this one has the fields of both."""
    body = {"code": code, "message": message, "error_code": code, "msg": message}
    return Refusal(status, body, {"x-sb-error-code": code, "x-supabase-api-version": "2024-01-01"})


@asynccontextmanager
async def acting(request: Request) -> AsyncIterator[Connection]:
    """A transaction of the Auth service; what goes wrong in it is answered as Auth does."""
    try:
        async with transaction(request.app.state.auth_pool) as conn:
            yield conn
    except psycopg.errors.UniqueViolation as error:
        raise denied(422, "user_already_exists", "User already registered") from error
    except psycopg.DataError as error:
        raise denied(400, "validation_failed", str(error)) from error
    except psycopg.Error as error:  # such as one from a trigger on auth.users
        raise denied(500, "unexpected_failure", f"Database error: {error}") from error


async def sign_up(request: Request) -> Response:
    body = await body_of(request)
    email = email_in(body)
    user_id = uuid.uuid4()
    user = {
        "id": user_id,
        "email": email,
        "password": await password_hash(body) if email else None,
        "confirmed": "now" if email else None,
        "app": Jsonb({"provider": "email", "providers": ["email"]} if email else {}),
        "data": Jsonb(data_in(body)),
        "anonymous": email is None,
    }
    async with acting(request) as conn:
        await conn.execute(INSERT, user)
        return JSONResponse(await sessions.begin(conn, request.app.state.stack, user_id))


async def token(request: Request) -> Response:
    body = await body_of(request)
    match request.query_params.get("grant_type"):
        case "password":
            return await sign_in(request, body)
        case "refresh_token":
            return await refresh(request, str(body.get("refresh_token", "")))
    raise denied(400, "validation_failed", "unsupported_grant_type")


async def sign_in(request: Request, body: dict[str, Any]) -> Response:
    async with acting(request) as conn:
        find = "select id, encrypted_password from auth.users where email = %s"
        user_id, stored = await (await conn.execute(find, (email_in(body),))).fetchone() or (None, None)
        if stored is None or not await run_in_threadpool(is_password, str(body.get("password", "")), stored):
            raise denied(400, "invalid_credentials", "Invalid login credentials")
        return JSONResponse(await sessions.begin(conn, request.app.state.stack, user_id))


async def refresh(request: Request, shown: str) -> Response:
    try:
        async with acting(request) as conn:
            session = await sessions.renew(conn, request.app.state.stack, shown)
    except sessions.UnknownToken:
        message = "Invalid Refresh Token: Refresh Token Not Found"
        raise denied(400, "refresh_token_not_found", message) from None
    if session is None:
        raise denied(400, "refresh_token_already_used", "Invalid Refresh Token: Already Used")
    return JSONResponse(session)


async def user(request: Request) -> Response:
    claims = claims_of(request)
    async with acting(request) as conn:
        return JSONResponse(await signed_in(conn, claims))


async def log_out(request: Request) -> Response:
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


async def body_of(request: Request) -> dict[str, Any]:
    try:
        body = load(await request.body() or b"{}")
    except NotJson:
        body = None
    if not isinstance(body, dict):
        raise denied(400, "bad_json", "Could not parse request body as JSON")
    return body


def email_in(body: dict[str, Any]) -> str | None:
    email = body.get("email")
    if not email:
        return None
    if not isinstance(email, str) or email.count("@") != 1 or not all(email.split("@")):
        raise denied(400, "validation_failed", "Unable to validate email address: invalid format")
    return email.lower()


def data_in(body: dict[str, Any]) -> dict[str, Any]:
    data = body.get("data") or {}
    if not isinstance(data, dict):
        raise denied(400, "validation_failed", "data must be an object")
    return data


def claims_of(request: Request) -> dict[str, Any]:
    bearer = keys.bearer_of(request)
    if bearer is None:
        raise denied(401, "no_authorization", "This endpoint requires a valid Bearer token")
    try:
        claims = keys.identify(request.app.state.stack, keys.apikey_of(request), bearer).claims
    except keys.InvalidToken as error:
        raise denied(403, "bad_jwt", str(error)) from None
    try:
        return claims | {"sub": uuid.UUID(claims.get("sub"))}
    except (ValueError, TypeError, AttributeError):
        raise denied(403, "bad_jwt", "invalid claim: sub must be a user's id") from None


async def signed_in(conn: Connection, claims: dict[str, Any]) -> dict[str, Any]:
    """A token outlives the session and the account it was made for; here both must still be there."""
    if "session_id" in claims:
        find = "select from auth.sessions where id = %s"
        if await (await conn.execute(find, (claims["session_id"],))).fetchone() is None:
            message = "Session from session_id claim in JWT does not exist"
            raise denied(403, "session_not_found", message)
    found = await sessions.user_of(conn, claims["sub"])
    if found is None:
        raise denied(403, "user_not_found", "User from sub claim in JWT does not exist")
    return found


async def password_hash(body: dict[str, Any]) -> str:
    password = body.get("password")
    if not isinstance(password, str) or not password:
        raise denied(400, "validation_failed", "Signup requires a valid password")
    if len(password) < 6:
        raise denied(422, "weak_password", "Password should be at least 6 characters.")
    return await run_in_threadpool(hashed, password, secrets.token_bytes(16))


def hashed(password: str, salt: bytes) -> str:
    digest = hashlib.scrypt(password.encode(errors="surrogatepass"), salt=salt, n=2**14, r=8, p=1)
    return ".".join(base64.b64encode(part).decode() for part in (salt, digest))


def is_password(password: str, stored: str) -> bool:
    salt = base64.b64decode(stored.partition(".")[0])
    return hmac.compare_digest(hashed(password, salt), stored)


routes = [
    Route("/signup", sign_up, methods=["POST"]),
    Route("/token", token, methods=["POST"]),
    Route("/user", user, methods=["GET"]),
    Route("/logout", log_out, methods=["POST"]),
    Route("/.well-known/jwks.json", jwks),
    Route("/health", health),
]
