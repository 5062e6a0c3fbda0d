"""Events for Flower leave together: one message each would cost a worker a quarter of its time."""

from typing import Any

from celery import bootsteps

from tasks.celery import app

SEND_EVERY = 0.25  # seconds; Celery sends earlier what has come to 24


class EventsTogether(bootsteps.StartStopStep):
    requires = ("celery.worker.consumer.events:Events",)

    def start(self, parent: Any) -> None:
        dispatcher = parent.event_dispatcher
        if dispatcher is not None:
            dispatcher.on_send_buffered = None
            self.timer = parent.timer.call_repeatedly(SEND_EVERY, dispatcher.flush)

    def stop(self, parent: Any) -> None:
        if timer := getattr(self, "timer", None):
            timer.cancel()


app.steps["consumer"].add(EventsTogether)
