"""The Celery app. Durability is the row's, so Celery is set for speed and never for keeping."""

import logging

from celery import Celery
from celery.signals import setup_logging
from kombu import Queue

import logs
import settings

config = settings.load()

app = Celery(
    "tasks",
    broker=str(config.redis_url),
    include=[f"tasks.{name}" for name in ("generate", "orphans", "deafness", "shutdown", "pool", "events")],
)
app.conf.update(
    # Redis keeps no copy of what a worker has taken: a lost message is found by looking.
    task_queues=[Queue(settings.QUEUE, no_ack=True)],
    task_default_queue=settings.QUEUE,
    # The work is waiting for the network: threads share 50 MB and a few database connections. To bound what a crash
    # takes along, or to compute on every core, run several workers.
    worker_pool="tasks.pool:ThreadPool",
    worker_concurrency=config.worker_threads,
    # Late acks would only run jobs twice when a connection resets, and kill a 5.7.0 worker when Redis restarts.
    task_acks_late=False,
    worker_prefetch_multiplier=1,
    worker_disable_prefetch=True,  # a message is popped only when a slot is free: the backlog stays in Postgres
    task_ignore_result=True,  # the row is the truth; there is no result backend
    # No task_reject_on_worker_lost: the lease and the bridge own crash recovery. One owner is enough.
    task_serializer="json",
    accept_content=["json"],
    worker_send_task_events=True,  # for Flower
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,  # Redis may be away for longer than a hundred tries
    broker_pool_acquire_timeout=5,  # the pool opens what is used, a few; Flower asks ten things at once
    broker_transport_options={
        "socket_timeout": 5,  # a frozen Redis must not hang a worker for ever
        "socket_connect_timeout": 2,
        "socket_keepalive": True,
        "health_check_interval": 5,  # a half-open connection is noticed in 11 s instead of 52 s
        "visibility_timeout": 3600,  # far above the longest countdown, see tasks.outcome.LONGEST_COUNTDOWN
    },
)


@setup_logging.connect
def use_our_logging(**_: object) -> None:
    logs.configure(config)
    for name in ("celery.app.trace", "celery.worker.strategy"):  # our own events say it with the job's id
        logging.getLogger(name).setLevel(logging.WARNING)
