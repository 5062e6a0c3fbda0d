"""Celery's settings. Postgres keeps the jobs, so Celery is set for speed and stores nothing."""

from kombu import Queue

import settings

config = settings.load()

broker_url = config.broker.url
broker_use_ssl = config.broker.tls
# Redis keeps no copy of a message that a worker has received. If a message is lost, the bridge
# detects that in the table.
task_queues = [Queue(settings.QUEUE, no_ack=True)]
task_default_queue = settings.QUEUE
# Tasks mostly wait for the network, so they run in threads, which share 50 MB and a few database
# connections. Run several workers to limit the effect of a crash, or to use every core.
worker_pool = "tasks.worker.pool:ThreadPool"
worker_concurrency = config.worker_threads
# Late acks would run jobs twice after a connection reset. With them, a worker of Celery 5.7.0 stops
# when Redis restarts.
task_acks_late = False
worker_prefetch_multiplier = 1
# A worker takes a message only when a slot is free, so the backlog stays in Postgres.
worker_disable_prefetch = True
task_ignore_result = True  # the row has the result; there is no result backend
# task_reject_on_worker_lost is not set: the lease and the bridge alone recover jobs after a crash.
task_serializer = "json"
accept_content = ["json"]
worker_send_task_events = True  # for Flower
broker_connection_retry_on_startup = True
broker_connection_max_retries = None  # retry permanently; Celery's default is a hundred tries
# Seconds. The pool opens connections only when they are used: a few, and ten at once for Flower.
broker_pool_acquire_timeout = 5
# A worker blocks in Redis until a message arrives, so a longer polling interval delays no job. Each
# end of a poll costs commands, and some hosts of Redis charge for commands. A dead connection is
# detected within one poll and two health checks: 24 s.
broker_transport_options = {
    "socket_timeout": 5,  # seconds; a frozen Redis must not stop a worker
    "socket_connect_timeout": 2,
    "socket_keepalive": True,
    "polling_interval": 10,
    "health_check_interval": 7,
    "unacked_restore_interval": 60,  # there is nothing to restore: Redis keeps no copy
}
