"""Run one bridge: `python -m bridge`. Any number of bridges may run at the same time."""

import logging
import signal

import redis

import broker
import logs
import settings
from bridge import health
from bridge.listener import Listener
from bridge.loop import Bridge
from bridge.publisher import Publisher
from bridge.store import Store

log = logging.getLogger("bridge")


def main() -> None:
    logs.begin()
    config = settings.load()
    config.require("bridge")
    logs.configure(config)
    for name, near in settings.misspelt().items():
        log.warning("setting.unknown", extra={"setting": name, "nearest": near})
    check_broker(config.broker)
    dsn = config.database("bridge")
    bridge = Bridge(
        Store(dsn),
        Listener(dsn),
        Publisher(config.broker),
        window=config.dispatch_window,
        # Short against the lease: jobs of a lost worker continue soon after their lease expires.
        rescue_every=config.lease_seconds / 12,
    )
    signal.signal(signal.SIGTERM, bridge.stop)
    signal.signal(signal.SIGINT, bridge.stop)
    if config.health_port is not None:
        log.addHandler(bridge.metrics.events)
        health.serve(bridge.health, bridge.metrics.exposition, config.health_host, config.health_port)
    log.info("bridge.started", extra={"version": settings.VERSION, "window": config.dispatch_window})
    bridge.run()


def check_broker(found: broker.Broker) -> None:
    """Warn of an unsuitable Redis, and exit if Redis refuses us.

    If Redis is unreachable, the bridge starts anyway: the loop waits for Redis, and rescues jobs
    without it.
    """
    try:
        for warning in broker.check(found):
            log.warning("broker.unsuitable", extra={"reason": warning})
    except broker.BrokerRefused as error:
        raise SystemExit(str(error)) from None
    except (redis.RedisError, OSError) as error:
        log.warning("broker.away", extra={"error": logs.describe(error)})


if __name__ == "__main__":
    main()
