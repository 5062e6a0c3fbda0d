"""Read the URL of a server, and name the part that is wrong.

An error never contains the value, which may hold a password.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import Conninfo

SPACE = re.compile(r"[\s\x00-\x1f\x7f]")
BROKEN_ESCAPE = re.compile(r"%(?![0-9a-fA-F]{2})")
PLACE = re.compile(r"(?P<host>[A-Za-z0-9._%-]*|\[[0-9A-Fa-f:.]+\])(?::(?P<port>[0-9]{1,5}))?")
# The placeholders in .env.example and in the URLs that Supabase shows.
PLACEHOLDER = re.compile(r"your[-_](?:project|region|password|database|host)|\.\.\.$|…$", re.IGNORECASE)
EXAMPLE = re.compile(r"password@[^,]*\.supabase\.com?(?::\d+)?")
SSL_MODES = {"disable", "allow", "prefer", "require", "verify-ca", "verify-full"}
# Options that other libraries read from the same URL, and that libpq refuses.
OF_OTHERS = {"pgbouncer", "schema", "connection_limit", "pool_timeout", "supa", "workaround", "sslcert_mode"}
TRANSACTION_POOLER = 6543
# The project reference in the host of its API or database, or in the user name of a pooler.
PROJECT = re.compile(
    r"[/@.](?P<host>\w+)\.supabase\.co\b|\.(?P<user>\w+)(?::[^@/]*)?@[^/]*\.pooler\.supabase\.com\b"
)
API_PATH = re.compile(r"/(rest|auth|storage|functions|realtime)/v1|//(app\.)?supabase\.com/")
LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of a URL as they are written: escapes are not resolved."""

    scheme: str
    user: str
    password: str
    places: str  # host:port, or several of them, separated by commas
    path: str
    query: str

    def options(self) -> list[tuple[str, str]]:
        return parse_qsl(self.query, keep_blank_values=True)


def split(text: str, *schemes: str) -> Parts:
    """Split a URL of one of these schemes. Raises ValueError, whose text names the fault."""
    if text[:1] in "\"'":
        raise ValueError("it begins with a quote: write it without")
    if SPACE.search(text):
        raise ValueError("it holds a space or a line break")
    scheme, mark, rest = text.partition("://")
    if not mark or scheme not in schemes:
        raise ValueError(f"it does not begin with {' or '.join(f'{each}://' for each in schemes)}")
    if PLACEHOLDER.search(text):
        raise ValueError("a placeholder of .env.example is still in it")
    authority = re.split("[/?#]", rest, maxsplit=1)[0]
    if rest.count("@") > authority.count("@") and "@" not in authority:
        raise ValueError("its password holds a / ? or # : write %2F, %3F or %23")
    login, _, places = authority.rpartition("@")
    if "@" in login:
        raise ValueError("its password holds an @ : write %40")
    if "#" in rest:
        raise ValueError("it holds a # : write %23")
    if re.search(r"[\[\]]", login):
        raise ValueError("its password holds a bracket, or is a placeholder: write %5B and %5D")
    path, _, query = rest[len(authority) :].partition("?")
    if BROKEN_ESCAPE.search(login):
        raise ValueError("its password holds a % that begins no escape: write %25")
    if BROKEN_ESCAPE.search(path + query):
        raise ValueError("a % in it begins no escape: write %25")
    user, _, password = login.partition(":")
    return Parts(scheme, user, password, places, path.removeprefix("/"), query)


def place(text: str) -> tuple[str, int | None]:
    """Return host and port; None for a missing port. Raises ValueError."""
    found = PLACE.fullmatch(text)
    port = int(found["port"]) if found and found["port"] else None
    if found is None or port == 0 or (port or 0) > 65535:
        raise ValueError("its host or port is none, or its password holds a character that must be escaped")
    return found["host"].strip("[]"), port


def database(text: str) -> str:
    """Check a URL of Postgres and return it unchanged. Raises ValueError."""
    parts = split(text, "postgresql", "postgres")
    ports = [place(each)[1] for each in parts.places.split(",")]
    if TRANSACTION_POOLER in ports:
        raise ValueError(
            "port 6543 is a transaction-mode pooler; use the session pooler or a direct connection (5432)"
        )
    if EXAMPLE.fullmatch(f"{parts.password}@{parts.places}"):
        raise ValueError("a placeholder of .env.example is still in it: its password")
    check_options(dict(parts.options()))
    try:
        conninfo_to_dict(text)
    except ProgrammingError:  # its text contains the value
        raise ValueError("libpq cannot read it") from None
    return text


def check_options(options: Mapping[str, str]) -> None:
    known = {option.keyword.decode() for option in Conninfo.get_defaults()}
    for name in options.keys() - known:
        what = f"the option {name} is another library's" if name in OF_OTHERS else "it has an unknown option"
        raise ValueError(f"{what}: leave out what follows the ?")
    if options.get("sslmode", "prefer") not in SSL_MODES:
        raise ValueError(f"its sslmode is none of {', '.join(sorted(SSL_MODES))}")
    ca = options.get("sslrootcert", "system")
    if ca != "system" and not Path(ca).is_file():
        raise ValueError("its sslrootcert names a file that is not there")


def web(text: str) -> str:
    """Return the address of an HTTP server without a slash at its end. Raises ValueError."""
    parts = split(text, "https", "http")
    host, _ = place(parts.places)
    if not host:
        raise ValueError("it names no host")
    if parts.user or parts.query:
        raise ValueError("it holds a login or a query: write the address alone")
    return text.rstrip("/")


def project(text: str) -> str | None:
    """Return the Supabase project of this database or API; None if the address names none."""
    found = PROJECT.search(text)
    return found and (found["host"] or found["user"])


def is_loopback(text: str) -> bool:
    return urlsplit(text).hostname in LOOPBACK
