"""Acknowledge no message: Redis keeps no copy of the messages of a `no_ack` queue."""

from typing import Any

from celery import bootsteps

from tasks.celery import app


class NoAck(bootsteps.StartStopStep):
    """Turns off the acknowledgements of Celery.

    Celery acknowledges every message. For a message that Redis does not keep, this costs two
    useless commands, and kombu keeps its tag until the connection closes: 190 bytes a message.
    """

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def start(self, parent: Any) -> None:
        qos = parent.task_consumer.channel.qos
        put_back = qos.reject

        def reject(tag: str, requeue: bool = False) -> None:
            # kombu requeues a message that arrives after the consumer was canceled.
            if requeue:
                put_back(tag, requeue=True)

        qos.ack, qos.reject = ignore, reject


def ignore(tag: str) -> None:
    """Do nothing: Redis has no copy to remove."""


app.steps["consumer"].add(NoAck)
