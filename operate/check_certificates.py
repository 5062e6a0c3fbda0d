"""Check when the certificates of Postgres, Redis and Supabase expire. Other checks verify them."""

import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from cryptography import x509
from psycopg.conninfo import conninfo_to_dict

import broker
import settings
from operate.findings import Findings, note, ok, wrong

RENEW_WITHIN = timedelta(days=14)
HANDSHAKE_WITHIN = 5.0  # seconds
SSL_REQUEST = bytes.fromhex("0000000804d2162f")  # Postgres begins TLS when it is asked to

Place = tuple[str, int]


def certificates() -> Findings:
    for (host, port), names in places().items():
        subject = f"certificate of {host}:{port} ({', '.join(names)})"
        try:
            ends = end_of(host, port, is_postgres=names[0].endswith("DATABASE_URL"))
        except (OSError, ValueError):
            continue  # what does not answer has a line of its own
        if ends is None:
            continue
        left, on = ends - datetime.now(UTC), f"{ends:%Y-%m-%d}"
        if left < timedelta(0):
            yield wrong(subject, f"it ended on {on}: renew it")
        elif left < RENEW_WITHIN:
            yield note(subject, f"it ends on {on}, in {left.days} days: renew it")
        else:
            yield ok(subject, f"it lasts until {on}")


def places() -> dict[Place, list[str]]:
    """Each server that is spoken to in TLS, with the settings that name it."""
    found: dict[Place, list[str]] = {}
    for name, place in [*databases(), *others()]:
        found.setdefault(place, []).append(name)
    return found


def databases() -> Iterator[tuple[str, Place]]:
    config = settings.load()
    for name in ("bridge_database_url", "worker_database_url", "database_url"):
        if (url := getattr(config, name)) is None:
            continue
        parts = conninfo_to_dict(url.get_secret_value())
        host, port = (
            str(parts.get(key, default)).split(",")[0] for key, default in (("host", ""), ("port", 5432))
        )
        if host and not host.startswith("/") and parts.get("sslmode") != "disable":
            yield name.upper(), (host, int(port))


def others() -> Iterator[tuple[str, Place]]:
    config = settings.load()
    for name, url in (("REDIS_URL", config.broker.url), ("SUPABASE_URL", config.supabase_url or "")):
        parts = urlsplit(url)
        if parts.scheme in ("rediss", "https") and parts.hostname:
            yield name, (parts.hostname, parts.port or 443)


def end_of(host: str, port: int, *, is_postgres: bool) -> datetime | None:
    """None: it has no TLS. Raises OSError or ValueError."""
    with socket.create_connection((host, port), HANDSHAKE_WITHIN) as connection:
        if is_postgres:
            connection.sendall(SSL_REQUEST)
            if connection.recv(1) != b"S":
                return None
        with broker.unverified().wrap_socket(connection, server_hostname=host) as encrypted:
            shown = encrypted.getpeercert(binary_form=True)
    return x509.load_der_x509_certificate(shown).not_valid_after_utc if shown else None
