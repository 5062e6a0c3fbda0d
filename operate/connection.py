"""How an operator's command reaches the database, and what it says when it cannot."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

import database
import settings
from operate import Refused

# A server that is starting or stopping also says FATAL: that counts as not answering.
REFUSAL = re.compile(r"FATAL: +(?!the database system is )(.*)")


ROLES: dict[settings.Process, database.Role] = {"bridge": "generation_bridge", "worker": "generation_worker"}


def setting_of(process: settings.Process) -> str:
    """The name of the setting that this process takes its login from."""
    own = f"{process}_database_url"
    return own.upper() if getattr(settings.load(), own) else "DATABASE_URL"


@contextmanager
def as_process(process: settings.Process) -> Iterator[database.Connection]:
    """With the login and the role of a process. Raises Refused, also for what goes wrong inside."""
    try:
        with database.connect(settings.load().database(process), ROLES[process]) as conn:
            yield conn
    except (database.RoleRefused, database.SchemaRefused) as error:
        raise Refused(str(error)) from error
    except psycopg.Error as error:
        raise Refused(explained(error, setting_of(process))) from error


@contextmanager
def as_owner() -> Iterator[database.Connection]:
    """With the login of the schema's owner. Raises Refused, also for what goes wrong inside."""
    options = database.options("generation_bridge") | {"application_name": "pilotlight-operator"}
    try:
        with database.Connection.connect(settings.owner_database(), **options) as conn:
            yield conn
    except psycopg.Error as error:
        raise Refused(explained(error, "DATABASE_URL")) from error


def explained(error: psycopg.Error, name: str) -> str:
    """One line with the cure, without the value of the setting `name`: it may be a password."""
    said = error.diag.message_primary
    if refusal := database.refusal_of(error, name):
        return refusal
    match error:
        case psycopg.errors.QueryCanceled():
            return f"The database answers, and needed too long: {said}. Try again when it has less to do."
        case (
            psycopg.errors.UndefinedFunction()
            | psycopg.errors.UndefinedTable()
            | psycopg.errors.InvalidSchemaName()
        ):
            return f"The database answers, and something is missing in it: {said}. Run make migrate."
        case psycopg.errors.InsufficientPrivilege():
            return f"The database answers, and refuses this to the login of {name}: {said}."
        case psycopg.OperationalError() if found := REFUSAL.search(str(error)):
            return f"The database answers, and refuses {name}: {found[1].strip()}"
        case psycopg.OperationalError():
            return f"The database does not answer at {name}: {reason(error)}{hint(error)}"
        case _ if said is None:
            return f"{name} cannot be read: write it as postgresql://user:password@host:5432/postgres, with % as %25."
    return f"The database answers, and refuses this: {said}."


def hint(error: psycopg.OperationalError) -> str:
    """A direct host of Supabase has an IPv6 address alone, which many networks do not reach."""
    is_ipv6 = re.search("Network is unreachable|Cannot assign requested address", str(error))
    return " (it may be reached over IPv6 only: use the session pooler)" if is_ipv6 else ""


def reason(error: psycopg.OperationalError) -> str:
    """The message of the server or the network, without the names that libpq puts before it."""
    lines = str(error).strip().splitlines() or ["no reason was given"]
    return lines[-1].strip() if len(lines) == 1 else lines[0].strip()
