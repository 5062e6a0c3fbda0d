"""Acknowledge nothing: Redis keeps no copy of a message of a `no_ack` queue."""

from typing import Any

from celery import bootsteps

from tasks.celery import app


class NoAck(bootsteps.StartStopStep):
    """Celery acknowledges every message.

    For a message that Redis does not keep, that is two commands in vain, and kombu remembers its
    tag for as long as the connection lives: 190 bytes a message.
    """

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def start(self, parent: Any) -> None:
        qos = parent.task_consumer.channel.qos
        put_back = qos.reject

        def reject(tag: str, requeue: bool = False) -> None:
            # kombu keeps a message that arrives after the consumer was canceled, and puts it back.
            if requeue:
                put_back(tag, requeue=True)

        qos.ack, qos.reject = ignore, reject


def ignore(tag: str) -> None:
    """There is nothing to remove."""


app.steps["consumer"].add(NoAck)
