"""Connect a bridge or a worker to Postgres, with time limits and in the role of the process."""

import re
from typing import Any, Literal

import psycopg
from psycopg import sql

Role = Literal["generation_bridge", "generation_worker"]

# Limits on the time in which the kernel detects that the other end of a connection is gone.
# Seconds, a count, and milliseconds for tcp_user_timeout.
KEEPALIVE: dict[str, Any] = {
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 8000,
}
DATABASE_ANSWER_WITHIN = 8.0  # seconds; longer than statement_timeout, which a live server enforces
# Seconds. Poolers cache passwords, so they can refuse a new password for a while after it was set.
# A database that is being restored may also be missing for a moment.
REFUSED_LOGIN_RETRIED_FOR = 30.0

# The version of the schema that this code needs. `check_schema` compares it with the version that
# private.schema_version() returns.
SCHEMA = 1

# The cure for each error of a server that answers and refuses this URL. The key matches the text of
# the error, since libpq returns no code.
REFUSALS = {
    r"password authentication failed|SASL authentication failed|no password supplied|Tenant or user not found": (
        "The database refuses the password of {}: correct user and password in .env."
    ),
    r"server does not support SSL|channel binding required": (
        "The database speaks no TLS, and {} asks for it: correct its port, its options behind the ?, or PGSSLMODE."
    ),
    r"root certificate|certificate verify failed|does not match host name": (
        "The certificate of the database cannot be verified: in {}, set sslrootcert to the file of its CA, and name"
        " the server as the certificate does."
    ),
    r'database ".*" does not exist': "There is no database of the name in {}: in a Supabase project it is postgres.",
    r"no pg_hba.conf entry|not in tenant allow_list": (
        "The database takes no connection from here by {}: allow the address of this machine, and add ?sslmode=require."
    ),
    r"is not permitted to log in": "The database knows the user of {}, who may not log in: alter role … login;",
    r"invalid response to SSL negotiation|expected authentication request": (
        "What answers at {} is no Postgres: correct host and port in .env."
    ),
}


class RoleRefused(Exception):
    """The login works, but may not take the role of the process. The text names the cure."""


class SchemaRefused(Exception):
    """The schema is too old or too new for this code. The text names the cure."""


class Connection(psycopg.Connection[Any]):
    """A connection that closes when the server does not answer within DATABASE_ANSWER_WITHIN.

    libpq would wait permanently behind a proxy that answers the keepalives.
    """

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        try:
            return super().wait(gen, interval, DATABASE_ANSWER_WITHIN if timeout is None else timeout)
        except psycopg.OperationalError:
            if timeout is None and self.info.transaction_status == psycopg.pq.TransactionStatus.ACTIVE:
                self.pgconn.finish()
            raise


def options(role: Role) -> dict[str, Any]:
    """Return the options of a Connection: autocommit, keepalives, and a name for operators."""
    return {"autocommit": True, "application_name": role.replace("generation_", "pilotlight-"), **KEEPALIVE}


def become(conn: Connection, role: Role) -> None:
    """Take the role with any login. Raises RoleRefused if the login is no member of the role."""
    try:
        conn.execute(sql.SQL("set role {}").format(sql.Identifier(role)))
    except (psycopg.errors.InsufficientPrivilege, psycopg.errors.InvalidParameterValue) as error:
        raise RoleRefused(
            f"The login {conn.info.user} cannot become {role} ({error.diag.message_primary})."
            f" Apply the migrations, then: grant {role} to {conn.info.user};"
        ) from None
    conn.execute("set statement_timeout = '5s'")


def check_schema(conn: Connection) -> None:
    """Raise SchemaRefused if this code and the schema do not fit each other."""
    try:
        row = conn.execute("select version, compatible_since from private.schema_version()").fetchone()
    except (psycopg.errors.UndefinedFunction, psycopg.errors.InvalidSchemaName):
        row = None
    version, compatible_since = row or (0, 0)
    if version < SCHEMA:
        found = f"is of version {version}" if version else "lacks our migrations, or some of them"
        raise SchemaRefused(f"The database {found}; this code needs {SCHEMA}. Apply the migrations.")
    if compatible_since > SCHEMA:
        raise SchemaRefused(
            f"The database serves code of version {compatible_since} or later, and this is {SCHEMA}: update it."
        )


def connect(dsn: str, role: Role) -> Connection:
    """Return a connection in this role, to a schema that this code can use.

    Raises:
        RoleRefused, SchemaRefused: The text names the cure.
        psycopg.OperationalError: The server is unreachable or refuses the password.
    """
    conn = Connection.connect(dsn, **options(role))
    try:
        become(conn, role)
        check_schema(conn)
    except BaseException:
        conn.close()
        raise
    return conn


def refusal_of(error: Exception, setting: str) -> str | None:
    """Return why a server refuses us, in one line with the cure; None for any other error."""
    if isinstance(error, psycopg.OperationalError):
        for said, cure in REFUSALS.items():
            if re.search(said, str(error)):
                return cure.format(setting)
    return None
