"""Celery's broker: reached, new enough, and never evicting a message."""

from urllib.parse import urlsplit

import redis as client

import broker
import logs
import settings
import urls
from operate.findings import Findings, note, ok, wrong

SUBJECT = "Redis (REDIS_URL)"


def redis() -> Findings:
    found = settings.load().broker
    try:
        facts = broker.look(found)
    except broker.BrokerRefused as error:
        yield wrong(SUBJECT, str(error))
        return
    except (client.RedisError, OSError) as error:
        yield wrong(SUBJECT, f"it does not answer ({logs.describe(error)}): start it, or correct REDIS_URL")
        return
    warnings = broker.warnings(facts)
    for warning in warnings:
        yield (wrong if warning.is_serious else note)(SUBJECT, warning.text)
    if not facts:
        yield note(SUBJECT, "it answers, and its login may not ask for its version and its eviction policy")
    elif not warnings:
        yield ok(SUBJECT, f"version {facts.get('redis_version')} answers, and it evicts nothing")
    if found.tls is None and urlsplit(found.url).hostname not in urls.LOOPBACK:
        yield note(
            SUBJECT, "the password and all messages travel unencrypted: use rediss:// if the server has TLS"
        )
