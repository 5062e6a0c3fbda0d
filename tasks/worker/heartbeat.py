"""Record for `make status` that this worker runs, and whether Storage refuses it."""

import os
import socket

from celery.signals import worker_init, worker_ready

import settings
from tasks import background, storage, store

NAME = f"{socket.gethostname()}:{os.getpid()}"


def send() -> None:
    config = settings.load()
    store.record_process(
        NAME,
        version=settings.VERSION,
        problem=storage.refusal(),
        expects_webhooks=config.webhook_url is not None and config.replicate_api_token is not None,
    )


@worker_init.connect
def make_pool(**_: object) -> None:
    """Open the pool in the main thread: several threads start at once, and each would open one."""
    store.pool()


@worker_ready.connect
def start(**_: object) -> None:
    background.repeat(
        send, every=settings.RECORD_PROCESS_EVERY, name="heartbeat", failure="heartbeat.not_sent"
    )
