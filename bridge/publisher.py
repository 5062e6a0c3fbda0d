"""Send Celery messages. A failed publish is ambiguous, so nothing here tries twice: the table is looked at again."""

import json
from collections.abc import Sequence
from contextlib import suppress
from uuid import UUID

import redis
from celery import Celery
from kombu import Producer
from kombu.exceptions import KombuError

from broker import TIMEOUTS, Broker
from settings import QUEUE, TASK_NAME

# What a broker that is down, frozen or restarting raises.
BROKER_ERRORS = (KombuError, redis.RedisError, OSError)

# Without time-outs a publish to a frozen Redis never returns. Kombu's own retries stay off: after a time-out
# they put further copies of the same messages into the queue.
# Kombu would otherwise try to connect for 6 s, with the claimed rows locked.
CONNECT_AT_ONCE = {"max_retries": 1, "interval_start": 0, "interval_step": 0}
BATCH = 500
# So many foreign messages at the head of our queue are skipped; a worker drops them when their turn comes.
FOREIGN_MESSAGES_TO_SKIP = 10


class Publisher:
    def __init__(self, broker: Broker) -> None:
        self.redis = broker.client()
        self.celery = Celery("bridge", broker=broker.url, set_as_current=False)
        self.celery.conf.update(
            broker_use_ssl=broker.tls,
            broker_transport_options=TIMEOUTS | CONNECT_AT_ONCE,
            broker_pool_limit=1,  # one thread publishes
            task_ignore_result=True,  # the row is the truth; there is no result backend
        )

    def check(self) -> None:
        """Raise one of BROKER_ERRORS if Redis does not answer now."""
        self.redis.ping()

    def publish(self, job_ids: Sequence[UUID]) -> None:
        """Send one message per job, pipelined. Raises one of BROKER_ERRORS; then some may have been sent."""
        with self.celery.producer_pool.acquire(block=True, timeout=5) as producer:
            if len(job_ids) == 1:
                return self.send(job_ids[0], producer)
            with producer.batch(BATCH):  # type: ignore[attr-defined]  # new in kombu 5.7
                for job_id in job_ids:
                    self.send(job_id, producer)

    def send(self, job_id: UUID, producer: Producer) -> None:
        self.celery.send_task(
            TASK_NAME, (str(job_id),), task_id=str(job_id), queue=QUEUE, producer=producer, retry=False
        )

    def next_in_queue(self) -> str | None:
        """The job of the first message that is ours, in the order in which workers get them; None if there is none."""
        for message in reversed(self.redis.lrange(QUEUE, -FOREIGN_MESSAGES_TO_SKIP, -1)):
            with suppress(ValueError, LookupError, TypeError):
                return str(UUID(str(json.loads(message)["headers"]["id"])))
        return None

    def close(self) -> None:
        self.redis.close()
        self.celery.close()
