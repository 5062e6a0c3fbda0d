"""Celery's broker: reached, new enough, and never evicting a message."""

from urllib.parse import urlsplit

import redis as client

import logs
import settings
from broker import OLDEST
from operate.findings import Findings, note, ok, wrong

SUBJECT = "Redis (REDIS_URL)"
LOCAL = ("127.0.0.1", "localhost", "::1")


def redis() -> Findings:
    broker = settings.load().broker
    try:
        with broker.client() as server:
            server.ping()
            yield from of_server(server)
    except client.AuthenticationError as error:
        yield wrong(
            SUBJECT, f"it refuses the login ({logs.describe(error)}): correct user and password in REDIS_URL"
        )
        return
    except (client.RedisError, OSError, ValueError) as error:
        yield wrong(SUBJECT, f"it does not answer ({logs.describe(error)}): start it, or correct REDIS_URL")
        return
    if broker.tls is None and urlsplit(broker.url).hostname not in LOCAL:
        yield note(
            SUBJECT, "the password and all messages travel unencrypted: use rediss:// if the server has TLS"
        )


def of_server(server: client.Redis) -> Findings:
    try:
        facts = server.info()
    except client.ResponseError as error:
        yield note(
            SUBJECT,
            f"it answers, and its version and eviction policy cannot be read ({logs.describe(error)})",
        )
        return
    version = str(facts.get("redis_version", "0"))
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    if numbers < OLDEST:
        yield wrong(SUBJECT, f"version {version} is too old: use 6.2 or later")
    else:
        yield ok(SUBJECT, f"version {version} answers")
    policy, maximum = str(facts.get("maxmemory_policy", "")), int(facts.get("maxmemory", 0))
    if policy == "noeviction":
        yield ok(SUBJECT, "it evicts nothing")
    elif maximum == 0:
        yield note(
            SUBJECT, f"it has no maxmemory, so {policy} evicts nothing now: set maxmemory-policy noeviction"
        )
    else:
        yield wrong(
            SUBJECT, f"it evicts messages when its memory is full ({policy}): set maxmemory-policy noeviction"
        )
