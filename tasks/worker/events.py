"""Send task events, which Flower reads, in batches and only while a monitor listens.

To send each event at once would take a quarter of a worker's time. To send batches without a
listener would take a tenth.
"""

import sys
from contextlib import suppress
from typing import Any

import redis
from celery import bootsteps
from kombu.exceptions import KombuError
from kombu.utils.json import dumps

from tasks.celery import app

SEND_EVERY = 0.25  # seconds
ROUTING_KEY = "task.multi"  # for a list of task events


class EventsTogether(bootsteps.StartStopStep):
    requires = ("celery.worker.consumer.events:Events",)
    former: Any = None  # the dispatcher of the previous connection

    def start(self, parent: Any) -> None:
        dispatcher = parent.event_dispatcher
        if dispatcher is not None:
            dispatcher.on_send_buffered, dispatcher.buffer_limit = None, sys.maxsize
            if self.former is not None:
                dispatcher._group_buffer["task"][:0] = self.former._group_buffer["task"]
            self.former = dispatcher
            self.timer = parent.timer.call_repeatedly(SEND_EVERY, send, (dispatcher,))

    def stop(self, parent: Any) -> None:
        if timer := getattr(self, "timer", None):
            timer.cancel()


def send(dispatcher: Any) -> None:
    """Send the buffered events, or drop them if no monitor listens now.

    A monitor receives every event since it began to listen: the dropped events are older than the
    answer that there was no listener. While Redis is unreachable, the events stay in the buffer.
    """
    events = dispatcher._group_buffer["task"]
    if not (count := len(events)):
        return
    with suppress(KombuError, redis.RedisError, OSError):
        if listeners(dispatcher):
            dispatcher.flush()
        else:
            del events[:count]


def listeners(dispatcher: Any) -> int:
    """Return the number of listeners. It publishes an empty list of events, which they ignore.

    The command PUBLISH returns the number of receivers, but kombu does not pass it on.
    """
    channel, answers = dispatcher.producer.channel, []

    def put_fanout(exchange: str, message: Any, routing_key: str, **_: object) -> None:
        with channel.conn_or_acquire() as client:
            for topic in channel._get_publish_topics(exchange, routing_key):
                answers.append(client.publish(topic, dumps(message)))

    channel._put_fanout = put_fanout
    try:
        dispatcher.producer.publish(
            [], routing_key=ROUTING_KEY, serializer=dispatcher.serializer, declare=[dispatcher.exchange]
        )
    finally:
        del channel._put_fanout
    return sum(answers)


app.steps["consumer"].add(EventsTogether)
