"""Celery's settings. The row keeps a job safe, so Celery is set for speed and keeps nothing."""

from kombu import Queue

import settings

config = settings.load()

broker_url = config.broker.url
broker_use_ssl = config.broker.tls
# Redis keeps no copy of a message that a worker has taken. The bridge finds lost ones in the table.
task_queues = [Queue(settings.QUEUE, no_ack=True)]
task_default_queue = settings.QUEUE
# The work waits for the network: threads share 50 MB and a few database connections. To bound what
# a crash takes along, or to compute on every core, run several workers.
worker_pool = "tasks.worker.pool:ThreadPool"
worker_concurrency = config.worker_threads
# Late acks would run jobs twice after a reset connection, and stop a 5.7.0 worker when Redis
# restarts.
task_acks_late = False
worker_prefetch_multiplier = 1
worker_disable_prefetch = True  # only a free slot takes a message: the backlog stays in Postgres
task_ignore_result = True  # the row is the truth; there is no result backend
# No task_reject_on_worker_lost: the lease and the bridge own crash recovery. One owner is enough.
task_serializer = "json"
accept_content = ["json"]
worker_send_task_events = True  # for Flower
broker_connection_retry_on_startup = True
broker_connection_max_retries = None  # Redis may be away for longer than a hundred tries
broker_pool_acquire_timeout = 5  # seconds; Flower sends ten requests at once, and few are open
# A worker blocks in Redis until a message comes, so a longer wait delays nothing. Each end of a
# wait costs commands, and some hosts of Redis charge for commands. A silent connection is noticed
# within one wait and two checks: 24 s.
broker_transport_options = {
    "socket_timeout": 5,  # seconds; a frozen Redis must not stop a worker
    "socket_connect_timeout": 2,
    "socket_keepalive": True,
    "polling_interval": 10,
    "health_check_interval": 7,
    "unacked_restore_interval": 60,  # nothing is ever to be restored: Redis keeps no copy
}
