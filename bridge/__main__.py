"""`python -m bridge`: any number may run."""

import logging
import signal

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
    logs.configure(config)
    dsn = config.database("bridge")
    bridge = Bridge(
        Store(dsn),
        Listener(dsn),
        Publisher(str(config.redis_url)),
        window=config.dispatch_window,
        rescue_every=config.lease_seconds / 12,  # a lost worker's jobs go on soon after their lease
    )
    signal.signal(signal.SIGTERM, bridge.stop)
    signal.signal(signal.SIGINT, bridge.stop)
    if config.health_port is not None:
        log.addHandler(bridge.metrics.events)
        health.serve(bridge.health, bridge.metrics.exposition, config.health_port)
    log.info("bridge.started", extra={"version": settings.VERSION, "window": config.dispatch_window})
    bridge.run()


if __name__ == "__main__":
    main()
