"""How both clients of Redis reach it: kombu and redis-py get one bare URL and the same options.

kombu and redis-py read other options from a URL, by other rules. kombu verifies no certificate for
a plain `rediss://`.
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
OLDEST = (6, 2)  # kombu 5.7 uses commands that are new in it


@dataclass(frozen=True, slots=True)
class Broker:
    url: str = field(repr=False)
    tls: dict[str, Any] | None  # None: not encrypted

    @property
    def options(self) -> dict[str, Any]:
        """For redis-py, beside the URL."""
        return self.tls or {}

    def client(self) -> "redis.Redis":
        return redis.Redis.from_url(self.url, **self.options, **TIMEOUTS)


class BrokerRefused(Exception):
    """Redis answers, and would not serve us. The text names the cure."""


def parse(text: str, ca_file: Path | None = None) -> Broker:
    """Raises ValueError, whose text names what is wrong and never the value.

    Time-outs in the URL are ignored: ours are explicit.
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
    """Speak to Redis once; what an operator should be warned of. Raises as `look` does."""
    return [warning.text for warning in warnings(look(broker))]


def look(broker: Broker) -> dict[str, Any]:
    """Speak to Redis once. Returns its INFO, which is empty if the login may not ask for it.

    Raises:
        BrokerRefused: It answers, and never will serve us as it is set.
        redis.RedisError, OSError: It is away.
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
    """Why a server does not answer: a Redis without TLS is silent to a client with TLS."""
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
    """The settings that an operator should change, by the INFO of Redis."""
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
