"""End the wait for a message when the consumer stops: Redis would answer up to 10 s later."""

from typing import Any

from celery import bootsteps

from tasks.celery import app


class StopWaiting(bootsteps.StartStopStep):
    """kombu reads the answer of the command that it waits for before it closes its connection."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def stop(self, parent: Any) -> None:
        channel: Any = getattr(parent.task_consumer, "channel", None)
        waiting = getattr(channel, "_in_poll", None)
        if waiting:  # a message that was just sent here is lost, which the bridge finds by looking
            waiting.disconnect()
            channel._in_poll = None


app.steps["consumer"].add(StopWaiting)
