"""Connect both clients of Redis: kombu and redis-py get one bare URL and the same options.

Each of them reads different options from a URL, by different rules. For example, with a plain
`rediss://` URL kombu verifies no certificate.
"""

import re
import socket
import ssl
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

import redis
from redis.exceptions import NoPermissionError

import urls

VERIFY = {"none": ssl.CERT_NONE, "optional": ssl.CERT_OPTIONAL, "required": ssl.CERT_REQUIRED}
FILES = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
UNENCRYPTED = "it has TLS options, and redis:// is not encrypted: write rediss://"
TIMEOUTS: dict[str, Any] = {"socket_timeout": 2, "socket_connect_timeout": 2}  # seconds
REFUSED_LOGIN = "Redis refuses our login: correct user and password in REDIS_URL."
UNENCRYPTED_PORT = "Redis speaks no TLS on this port: write redis:// in REDIS_URL, or its TLS port."
ENCRYPTED_PORT = "Redis speaks TLS on this port: write rediss:// in REDIS_URL."
PROTECTED = (
    "Redis takes no connections from other machines (protected mode): give it a password, and REDIS_URL, too."
)
OLDEST = (6, 2)  # kombu 5.7 uses commands that this version introduced


@dataclass(frozen=True, slots=True)
class Broker:
    url: str = field(repr=False)
    tls: dict[str, Any] | None  # None if the connection is not encrypted

    @property
    def options(self) -> dict[str, Any]:
        """The arguments that redis-py gets beside the URL."""
        return self.tls or {}

    def client(self) -> "redis.Redis":
        return redis.Redis.from_url(self.url, **self.options, **TIMEOUTS)


class BrokerRefused(Exception):
    """Redis answers, but refuses to serve us. The text names the cure."""


def parse(text: str, ca_file: Path | None = None) -> Broker:
    """Read the URL of Redis. Raises ValueError, whose text names the fault and never the value.

    Timeouts in the URL are ignored: ours are explicit.
    """
    parts = urls.split(text, "redis", "rediss")
    host, port = urls.place(parts.places)
    options = {name.lower(): value for name, value in parts.options()}
    if {"username", "password"} & set(options):
        raise ValueError("it has the login behind the ?: write it before the @")
    db = parts.path or options.get("db", "") or "0"
    if not re.fullmatch("[0-9]{1,5}", db):
        raise ValueError("its database is no number")
    login = f"{parts.user}:{parts.password}@" if parts.user or parts.password else ""
    host = f"[{host}]" if ":" in host else quote(host) or "127.0.0.1"
    url = f"{parts.scheme}://{login}{host}:{port or 6379}/{db}"
    tls = {name: value for name, value in options.items() if name.startswith("ssl_")}
    if parts.scheme == "redis":
        if tls or ca_file:
            raise ValueError(UNENCRYPTED)
        return Broker(url, None)
    return Broker(url, tls_options(tls, ca_file))


def tls_options(given: dict[str, str], ca_file: Path | None) -> dict[str, Any]:
    verify = given.pop("ssl_cert_reqs", "required").lower().removeprefix("cert_")
    if verify not in VERIFY:
        raise ValueError("its ssl_cert_reqs is none of required, optional, none")
    checks_name = given.pop("ssl_check_hostname", "true").lower() not in ("false", "0", "no", "off")
    if unknown := given.keys() - set(FILES):
        raise ValueError(f"it has an option of TLS that we do not pass on: {', '.join(sorted(unknown))[:40]}")
    files = {name: given[name] for name in FILES if name in given}
    if ca_file:
        files["ssl_ca_certs"] = str(ca_file)
    for name, path in files.items():
        if not Path(path).is_file():
            raise ValueError(f"its {name} is a file that is not there")
    return {"ssl_cert_reqs": VERIFY[verify], "ssl_check_hostname": checks_name and verify != "none", **files}


def check(broker: Broker) -> list[str]:
    """Connect to Redis once. Returns warnings for the operator. Raises as `look` does."""
    return [warning.text for warning in warnings(look(broker))]


def look(broker: Broker) -> dict[str, Any]:
    """Connect to Redis once. Returns its INFO, which is empty if the login may not read it.

    Raises:
        BrokerRefused: Redis answers, but cannot serve us with this configuration.
        redis.RedisError, OSError: Redis is unreachable.
    """
    with broker.client() as client:
        try:
            client.ping()
        except redis.RedisError as error:
            raise refusal_of(error) or misunderstanding(broker) or error from None
        with suppress(redis.ResponseError):
            facts: dict[str, Any] = client.info()
            return facts
        return {}


def refusal_of(error: Exception) -> BrokerRefused | None:
    text = str(error)
    if isinstance(error, redis.AuthenticationError):
        return BrokerRefused(REFUSED_LOGIN)
    if isinstance(error, NoPermissionError):
        return BrokerRefused(
            "Redis allows the login of REDIS_URL too little: docs/operations.md has its rights."
        )
    if found := re.search("certificate verify failed: ([^(]+)", text):
        return BrokerRefused(
            f"The certificate of Redis cannot be verified ({found[1].strip(' .')}): set REDIS_CA_FILE to the"
            " file of its CA in .env, and name the server in REDIS_URL as the certificate does."
        )
    if "WRONG_VERSION_NUMBER" in text or "record layer failure" in text:
        return BrokerRefused(UNENCRYPTED_PORT)
    if text.startswith("DENIED"):
        return BrokerRefused(PROTECTED)
    if "DB index is out of range" in text:
        return BrokerRefused("Redis has no database of the number in REDIS_URL: correct it in .env.")
    return None


def misunderstanding(broker: Broker) -> BrokerRefused | None:
    """Find out why a reachable server does not answer; None if no reason is found.

    For example, a Redis without TLS does not answer a client that begins with TLS.
    """
    place, said = urlsplit(broker.url), b""
    with suppress(OSError), socket.create_connection((place.hostname, place.port), timeout=2) as connection:
        connection.sendall(b"PING\r\n\r\n")
        said = connection.recv(1)
    if said in (b"+", b"-"):
        return BrokerRefused(UNENCRYPTED_PORT) if broker.tls else None
    with suppress(OSError), socket.create_connection((place.hostname, place.port), timeout=2) as connection:
        unverified().wrap_socket(connection).close()
        return None if broker.tls else BrokerRefused(ENCRYPTED_PORT)
    return BrokerRefused("What answers at REDIS_URL is no Redis: correct it in .env.") if said else None


def unverified() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


class Warned(NamedTuple):
    text: str
    is_serious: bool


def warnings(facts: dict[str, Any]) -> list[Warned]:
    """Return what an operator should change, according to the INFO of Redis."""
    found = []
    version = str(facts.get("redis_version", ""))
    numbers = tuple(int(each) for each in re.findall("[0-9]+", version)[:2])
    if numbers and numbers < OLDEST:
        found.append(Warned(f"Redis is {version}: take 6.2 or later", True))
    mode = "replica" if facts.get("role") == "slave" else facts.get("redis_mode", "standalone")
    if mode != "standalone":
        found.append(Warned(f"Redis is a {mode}, which takes no messages: name a primary of its own", True))
    policy = facts.get("maxmemory_policy", "noeviction")
    if policy != "noeviction":
        text = f"Redis may throw messages away ({policy}): set maxmemory-policy noeviction"
        found.append(Warned(text, facts.get("maxmemory") != 0))
    return found
