"""The common part of all requests to Storage.

A request runs as its caller, and its errors have the form of Storage's errors.
"""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import psycopg
from starlette.requests import Request

from local.gateway import keys
from local.gateway.database import Connection, become, transaction
from local.gateway.refused import Refused


@asynccontextmanager
async def acting(request: Request) -> AsyncIterator[Connection]:
    """Open a transaction as the caller, and turn its errors into Storage's error answers."""
    try:
        identity = keys.caller(request)
    except keys.InvalidToken as error:
        raise Refused(403, "Unauthorized", str(error)) from None
    try:
        async with transaction(request.app.state.storage_pool) as conn:
            await become(conn, identity, request)
            yield conn
    except psycopg.errors.InsufficientPrivilege as error:
        raise Refused(403, "Unauthorized", error.diag.message_primary or "") from error
    except psycopg.errors.UniqueViolation as error:
        raise Refused(409, "Duplicate", "The resource already exists") from error
    except psycopg.errors.QueryCanceled as error:
        raise Refused(544, "DatabaseTimeout", "The database did not answer in time") from error
    except psycopg.DataError as error:
        raise Refused(400, "invalid_request", str(error)) from error


def address(request: Request) -> tuple[str, str]:
    return request.path_params["bucket"], request.path_params["name"]


def whole_number(body: dict[str, Any], name: str) -> int:
    """Return a field of the body as a whole number. supabase-py sends numbers as text."""
    text = str(body.get(name))
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise Refused(400, "invalid_request", f"{name} must be a whole number")
    return int(text)


def names_in(body: dict[str, Any], name: str) -> list[str]:
    names = body.get(name)
    if not isinstance(names, list) or len(names) > 1000 or not all(isinstance(item, str) for item in names):
        raise Refused(400, "invalid_request", f"{name} must be a list of at most 1000 names")
    return names
