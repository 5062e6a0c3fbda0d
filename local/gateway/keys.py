"""The caller of a request.

An API key identifies the program. A bearer token signed with the stack's key identifies the user.
A user's token wins over the API key beside it, even over a secret key, as on hosted Supabase.
"""

import hmac
import time
from dataclasses import dataclass
from typing import Any

import jwt
from starlette.requests import HTTPConnection

from local.stack import Stack

ALGORITHM = "ES256"
AUDIENCE = "authenticated"
ROLES = ("anon", "authenticated", "service_role")


class InvalidToken(Exception):
    """The token or the API key is not valid. A client may see the message, which has the reason."""


@dataclass(frozen=True, slots=True)
class Identity:
    role: str
    claims: dict[str, Any]


def issuer(stack: Stack) -> str:
    return f"{stack.gateway_url}/auth/v1"


def sign(stack: Stack, claims: dict[str, Any], *, seconds: int) -> str:
    now = int(time.time())
    key = jwt.PyJWK(stack.signing_key, algorithm=ALGORITHM)
    headers = {"kid": stack.signing_key["kid"]}
    return jwt.encode({**claims, "iat": now, "exp": now + seconds}, key, ALGORITHM, headers=headers)


def verify(stack: Stack, token: str, **checks: Any) -> dict[str, Any]:
    """Return the claims of a token that we signed and that has not expired.

    Raises InvalidToken for any other.
    """
    key = jwt.PyJWK(stack.signing_key, algorithm=ALGORITHM).key.public_key()
    try:
        claims: dict[str, Any] = jwt.decode(token, key, [ALGORITHM], options={"require": ["exp"]}, **checks)
    except jwt.ExpiredSignatureError:
        raise InvalidToken("JWT expired") from None
    except (jwt.InvalidTokenError, ValueError) as error:
        raise InvalidToken(f"invalid JWT: {error}") from None
    return claims


def jwks(stack: Stack) -> dict[str, Any]:
    public = {name: stack.signing_key[name] for name in ("kty", "crv", "x", "y", "kid")}
    return {"keys": [{**public, "alg": ALGORITHM, "use": "sig", "key_ops": ["verify"], "ext": True}]}


def key_role(stack: Stack, apikey: str | None) -> str | None:
    """Return the role of an API key, or None for a key that is not ours."""
    for key, role in ((stack.publishable_key, "anon"), (stack.secret_key, "service_role")):
        if hmac.compare_digest((apikey or "").encode(), key.encode()):
            return role
    return None


def identify(stack: Stack, apikey: str | None, bearer: str | None) -> Identity:
    """Return the caller. Raises InvalidToken when the API key or the token is not ours.

    A bad token never falls back to its API key.
    """
    role = key_role(stack, apikey)
    if role is None:
        raise InvalidToken("Invalid API key")
    if not bearer or bearer == apikey:
        return Identity(role, {"role": role})
    if bearer.startswith("sb_"):
        raise InvalidToken("An API key in the Authorization header must equal the apikey header")
    claims = verify(stack, bearer, audience=AUDIENCE, issuer=issuer(stack))
    if claims.get("role") not in ROLES or not claims.get("sub"):
        raise InvalidToken("invalid JWT: role or sub is missing")
    return Identity(claims["role"], claims)


def apikey_of(connection: HTTPConnection) -> str | None:
    return connection.headers.get("apikey") or connection.query_params.get("apikey")


def bearer_of(connection: HTTPConnection) -> str | None:
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def caller(connection: HTTPConnection) -> Identity:
    return identify(connection.app.state.stack, apikey_of(connection), bearer_of(connection))
