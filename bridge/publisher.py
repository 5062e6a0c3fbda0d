"""Send Celery messages.

A failed publish is ambiguous: the messages may have been sent. So this module never retries; the
bridge reads the table again.
"""

import json
import uuid
from base64 import b64encode
from collections.abc import Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

import redis
from celery import Celery

from broker import Broker
from settings import QUEUE, TASK_NAME

# The errors of a broker that is down, frozen or restarting.
BROKER_ERRORS = (redis.RedisError, OSError)

# The number of foreign messages at the head of our queue that are skipped. A worker drops each of
# them when it receives it.
FOREIGN_MESSAGES_TO_SKIP = 10
# Placeholders in the template for the job id and the delivery tag.
NO_JOB, NO_TAG = str(uuid.uuid4()), str(uuid.uuid4())


class Publisher:
    def __init__(self, broker: Broker) -> None:
        self.redis = broker.client()
        self.template = template()

    def check(self) -> None:
        """Raise one of BROKER_ERRORS if Redis does not answer now."""
        self.redis.ping()

    def publish(self, job_ids: Sequence[UUID]) -> None:
        """Send one message per job, in one command: Redis takes all of them or none.

        Raises one of BROKER_ERRORS. The messages may have been sent even then.
        """
        self.redis.lpush(QUEUE, *(self.message(str(job_id)) for job_id in job_ids))

    def message(self, job_id: str) -> str:
        filled = self.template.replace(NO_JOB, job_id).replace(base64(NO_JOB), base64(job_id))
        return filled.replace(NO_TAG, str(uuid.uuid4()))

    def next_in_queue(self) -> str | None:
        """Return the job id of our message that a worker gets next; None if there is none."""
        for message in reversed(self.redis.lrange(QUEUE, -FOREIGN_MESSAGES_TO_SKIP, -1)):
            with suppress(ValueError, LookupError, TypeError):
                return str(UUID(str(json.loads(message)["headers"]["id"])))
        return None


def template() -> str:
    """Return a message with placeholders, made once by Celery.

    If Celery made each message, this would take four fifths of the time of a bridge.
    """
    with Celery("bridge", broker="memory://localhost", set_as_current=False) as app:
        app.conf.task_ignore_result = True  # the row has the result; there is no result backend
        app.send_task(TASK_NAME, (NO_JOB,), task_id=NO_JOB, queue=QUEUE)
        with app.connection_for_read() as connection:
            channel: Any = connection.default_channel
            message = channel._get(QUEUE)
    message["properties"]["delivery_tag"] = NO_TAG
    return json.dumps(message)


def base64(job_id: str) -> str:
    """Return the id as it appears in the base64-encoded arguments of the task.

    There it begins behind 3 bytes and has 36 bytes, both multiples of 3. So its encoding is the
    same as that of the id alone.
    """
    return b64encode(job_id.encode()).decode()
