"""Celery's broker: a Redis on a loopback port.

It stores nothing on disk, because every message can be sent again.
"""

import sys
from pathlib import Path

import redis

from local.stack import Stack

CONFIG = """\
bind 127.0.0.1
port {port}
requirepass {password}
save ""
appendonly no
maxmemory-policy noeviction
loglevel warning
"""


def command(stack: Stack) -> list[str]:
    """Return the command of the server in the foreground.

    The password is in the configuration file, so that the list of processes does not show it.
    """
    config = stack.folder / "redis.conf"
    config.touch(mode=0o600)
    config.write_text(CONFIG.format(port=stack.redis_port, password=stack.password))
    return [str(Path(sys.executable).parent / "redis-server"), str(config)]


def is_ready(stack: Stack) -> bool:
    with redis.Redis.from_url(stack.redis_url, socket_timeout=2) as client:
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False


def has_waiting_worker(stack: Stack) -> bool:
    """Return whether a Celery worker has a free slot. Such a worker blocks on its queue."""
    with redis.Redis.from_url(stack.redis_url, socket_timeout=2) as client:
        try:
            return int(client.info("clients")["blocked_clients"]) > 0
        except redis.RedisError:
            return False
