"""Stop waiting for a message when the consumer stops.

Redis would answer only after ten seconds, or with one more job.
"""

from typing import Any

from celery import bootsteps

from tasks.celery import app


class StopWaiting(bootsteps.StartStopStep):
    """Disconnects the blocking command of kombu.

    Otherwise kombu reads the answer of that command before it closes its connection.
    """

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def stop(self, parent: Any) -> None:
        channel: Any = getattr(parent.task_consumer, "channel", None)
        waiting = getattr(channel, "_in_poll", None)
        if waiting:  # a message that Redis just sent is lost; the bridge detects that in the table
            waiting.disconnect()
            channel._in_poll = None


app.steps["consumer"].add(StopWaiting)
