"""A message of the bridge is, byte for byte, the one that Celery would send."""

import json
import uuid

from celery import Celery

import broker
import settings
from bridge.publisher import Publisher
from tests.support.servers import Redis


def test_messages_are_the_bytes_of_celery_in_the_order_of_the_jobs(own_broker: Redis) -> None:
    job_ids = [uuid.uuid4() for _ in range(3)]
    publisher = Publisher(broker.parse(own_broker.url))
    with Celery(broker=own_broker.url, set_as_current=False) as app, own_broker.client as client:
        app.conf.task_ignore_result = True
        for job_id in job_ids:
            arguments = (settings.TASK_NAME, (str(job_id),))
            app.send_task(*arguments, task_id=str(job_id), queue=settings.QUEUE)
        by_celery = client.lrange(settings.QUEUE, 0, -1)
        client.delete(settings.QUEUE)

        publisher.publish(job_ids)

        ours = client.lrange(settings.QUEUE, 0, -1)
        assert publisher.next_in_queue() == str(job_ids[0])
    publisher.redis.close()
    tags = {json.loads(message)["properties"]["delivery_tag"] for message in ours}
    assert len(tags) == 3
    assert [without_what_differs(message) for message in ours] == [
        without_what_differs(message) for message in by_celery
    ]


def without_what_differs(message: bytes) -> str:
    """Each message has a tag of its own, and each app an address for replies, which no task of ours
    sends.
    """
    text = message.decode()
    for name in ("delivery_tag", "reply_to"):
        text = text.replace(json.loads(text)["properties"][name], name)
    return text
