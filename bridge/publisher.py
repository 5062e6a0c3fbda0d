"""Send Celery messages.

A failed publish is ambiguous, so nothing here repeats one: the bridge looks at the table again.
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

# So many foreign messages at the head of our queue are skipped. A worker drops them later.
FOREIGN_MESSAGES_TO_SKIP = 10
NO_JOB, NO_TAG = str(uuid.uuid4()), str(uuid.uuid4())  # stand in the template for what differs


class Publisher:
    def __init__(self, broker: Broker) -> None:
        self.redis = broker.client()
        self.template = template()

    def check(self) -> None:
        """Raise one of BROKER_ERRORS if Redis does not answer now."""
        self.redis.ping()

    def publish(self, job_ids: Sequence[UUID]) -> None:
        """Send one message per job, all of them or none.

        Raises one of BROKER_ERRORS; the messages may have been sent even so.
        """
        self.redis.lpush(QUEUE, *(self.message(str(job_id)) for job_id in job_ids))

    def message(self, job_id: str) -> str:
        filled = self.template.replace(NO_JOB, job_id).replace(base64(NO_JOB), base64(job_id))
        return filled.replace(NO_TAG, str(uuid.uuid4()))

    def next_in_queue(self) -> str | None:
        """The job of the message that workers get next; None without one of ours."""
        for message in reversed(self.redis.lrange(QUEUE, -FOREIGN_MESSAGES_TO_SKIP, -1)):
            with suppress(ValueError, LookupError, TypeError):
                return str(UUID(str(json.loads(message)["headers"]["id"])))
        return None


def template() -> str:
    """A message without a job, made once by Celery.

    Making each message anew would cost a bridge four fifths of its time.
    """
    with Celery("bridge", broker="memory://localhost", set_as_current=False) as app:
        app.conf.task_ignore_result = True  # the row is the truth; there is no result backend
        app.send_task(TASK_NAME, (NO_JOB,), task_id=NO_JOB, queue=QUEUE)
        with app.connection_for_read() as connection:
            channel: Any = connection.default_channel
            message = channel._get(QUEUE)
    message["properties"]["delivery_tag"] = NO_TAG
    return json.dumps(message)


def base64(job_id: str) -> str:
    """The id in base64. In the encoded arguments it is the same: it fills bytes 4 to 39."""
    return b64encode(job_id.encode()).decode()
