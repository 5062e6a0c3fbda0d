"""The bridge: read the due jobs, send a message for each of them, and wait for the doorbell.

Correctness never depends on the doorbell. The loop survives the loss of its database and its
broker. While the broker fails, no job is marked dispatched, so the rows stay due.
"""

import logging
import os
import random
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

import broker
import database
import logs
import settings
from bridge.health import Health
from bridge.listener import HeartbeatMissed, Listener
from bridge.metrics import Metrics
from bridge.publisher import BROKER_ERRORS, Publisher
from bridge.store import Look, Store

log = logging.getLogger("bridge")

BATCH = 500  # jobs per look; this limits how long a claim can wait for the commit of its dispatch
# Seconds between two looks at the table without a doorbell.
FIRST_PAUSE, BUSY_PAUSE, IDLE_PAUSE = 0.05, 0.5, 5.0
FIND_LOST_EVERY = 1.0  # seconds
LOST_AFTER = 5.0  # seconds; popping and claiming a message takes milliseconds
# Seconds. After this time a job gets another message even if an earlier one is still in the queue,
# since no worker reads that one.
REDISPATCH_UNCONDITIONALLY_AFTER = 600.0

NO_NOTIFICATIONS = (
    "BRIDGE_DATABASE_URL, or else DATABASE_URL, delivers no notifications: it leads through a"
    " transaction-mode pooler. Use a direct or session-mode connection (port 5432) in .env."
)
REFUSED = "The database refuses the bridge: {}. Apply the migrations."


class Stopped(Exception):
    """SIGTERM or SIGINT arrived while the bridge waited."""


class Bridge:
    def __init__(
        self, store: Store, listener: Listener, publisher: Publisher, *, window: int, rescue_every: float
    ) -> None:
        self.store, self.listener, self.publisher = store, listener, publisher
        self.window, self.rescue_every = window, rescue_every
        self.health = Health()
        self.metrics = Metrics(self.health, settings.VERSION)
        self.is_stopping = self.is_waiting = False
        self.failures = 0
        self.refused_since: float | None = None
        self.quiet_looks = 0
        self.rescue_at = self.find_lost_at = 0.0
        self.name = f"{socket.gethostname()}:{os.getpid()}"
        self.check_broker_at = self.record_process_at = 0.0
        self.broker_problem: str | None = None
        self.last_look = Look([], 0, None)

    def stop(self, *_: object) -> None:
        """Handle a signal: stop at once while waiting, else after the current step."""
        self.is_stopping = True
        if self.is_waiting:
            raise Stopped

    @contextmanager
    def waiting(self) -> Iterator[None]:
        self.is_waiting = True
        try:
            if self.is_stopping:
                raise Stopped
            yield
        finally:
            self.is_waiting = False

    def run(self) -> None:
        try:
            while not self.is_stopping:
                self.run_until_database_lost()
        except Stopped:
            pass
        finally:
            self.listener.close()
            self.store.close()
        log.info("bridge.stopped")

    def run_until_database_lost(self) -> None:
        try:
            self.listener.listen()
            while not self.is_stopping:
                self.run_once()
                self.database_answers()
                with self.waiting():
                    self.listener.wait(self.pause())
        except HeartbeatMissed as error:
            if not self.listener.heartbeat_received:
                raise SystemExit(NO_NOTIFICATIONS) from None
            self.database_lost(error)
        except (database.RoleRefused, database.SchemaRefused) as error:
            raise SystemExit(str(error)) from None
        except (psycopg.ProgrammingError, psycopg.DataError) as error:
            raise SystemExit(REFUSED.format(str(error).splitlines()[0])) from None
        except psycopg.Error as error:
            self.database_lost(error)

    def run_once(self) -> int:
        """Send a message for each due job; rescue jobs if it is time. Returns the number sent."""
        self.health.passed()
        sent = 0
        try:
            self.check_broker()
            sent = self.dispatch()
            self.find_lost_messages()
            self.broker_answers()
        except BROKER_ERRORS as error:
            self.broker_fails(error)
        self.quiet_looks = 0 if sent else self.quiet_looks + 1
        self.rescue()
        self.record_process()
        self.metrics.read(self.store)
        return sent

    def check_broker(self) -> None:
        """Ping Redis at intervals, so that an idle bridge detects its loss, too."""
        if self.health.is_broker_down or time.monotonic() >= self.check_broker_at:
            self.publisher.check()
            self.check_broker_at = time.monotonic() + settings.RECORD_PROCESS_EVERY

    def record_process(self) -> None:
        """Record for `make status` that this bridge runs, and the server that it cannot reach."""
        if time.monotonic() >= self.record_process_at:
            self.store.record_process(self.name, version=settings.VERSION, problem=self.broker_problem)
            self.record_process_at = time.monotonic() + settings.RECORD_PROCESS_EVERY

    def dispatch(self) -> int:
        heartbeat = self.listener.heartbeat()
        with self.store.dispatch(limit=BATCH, window=self.window, heartbeat_channel=heartbeat) as look:
            if look.job_ids:
                self.publisher.publish(look.job_ids)
        if heartbeat:
            self.listener.expect_heartbeat()
        self.last_look = look
        sent = len(look.job_ids)
        self.health.looked(look.outstanding, caught_up=sent < BATCH and look.outstanding < self.window)
        if sent:
            log.info("jobs.dispatched", extra={"count": sent, "outstanding": look.outstanding})
        return sent

    def find_lost_messages(self) -> None:
        """Dispatch again the jobs whose messages are lost.

        The message of a dispatched job is still in the queue, or a worker popped it and claims the
        job at once, or it is lost.
        """
        if not self.last_look.outstanding or time.monotonic() < self.find_lost_at:
            return
        self.find_lost_at = time.monotonic() + FIND_LOST_EVERY
        next_in_queue = self.publisher.next_in_queue()
        count = self.store.redispatch(older_than=LOST_AFTER, next_in_queue=next_in_queue)
        if next_in_queue is not None:
            count += self.store.redispatch(older_than=REDISPATCH_UNCONDITIONALLY_AFTER)
        if count:
            log.warning("messages.lost", extra={"count": count})
            self.dispatch()

    def rescue(self) -> None:
        if time.monotonic() < self.rescue_at:
            return
        for job in self.store.rescue(limit=BATCH):
            log.warning("job.rescued", extra=job)
        self.rescue_at = time.monotonic() + self.rescue_every

    def pause(self) -> float:
        """Return the seconds until the next look at the table if the doorbell does not ring.

        They are 0 after a full batch, short after other work, and grow while there is none.
        """
        if len(self.last_look.job_ids) == BATCH and not self.health.is_broker_down:
            return 0.0
        is_busy = self.last_look.outstanding or self.health.is_broker_down
        longest = BUSY_PAUSE if is_busy else IDLE_PAUSE
        pause = min(longest, FIRST_PAUSE * 2.0 ** min(self.quiet_looks, 10))
        if self.last_look.next_due_in is not None:
            pause = min(pause, max(self.last_look.next_due_in, 0.01))
        return pause

    def broker_fails(self, error: Exception) -> None:
        if not self.health.is_broker_down:
            log.error("broker.lost", extra={"error": logs.describe(error)})
            self.record_process_at = 0.0
        self.broker_problem = str(
            broker.refusal_of(error) or f"Redis does not answer: {logs.describe(error)}"
        )
        self.health.is_broker_down = self.health.is_broker_known = True

    def broker_answers(self) -> None:
        if self.health.is_broker_down:
            log.info("broker.back")
            self.record_process_at = 0.0
        self.broker_problem = None
        self.health.is_broker_down, self.health.is_broker_known = False, True

    def database_lost(self, error: Exception) -> None:
        self.listener.close()
        self.store.close()
        self.give_up_a_refused_login(error)
        if not self.failures:
            log.error("database.lost", extra={"error": logs.describe(error)})
        self.failures += 1
        self.health.is_database_down = True
        self.health.passed()
        # Limit the exponent: in a long outage 2.0**1024 would raise an error and end the loop.
        with self.waiting():
            time.sleep(
                random.uniform(0.1, min(10.0, 0.2 * 2.0 ** min(self.failures, 10))),  # noqa: S311
            )

    def give_up_a_refused_login(self, error: Exception) -> None:
        refusal = database.refusal_of(error, "BRIDGE_DATABASE_URL (or DATABASE_URL)")
        if refusal is None:
            self.refused_since = None
        elif self.refused_since is None:
            self.refused_since = time.monotonic()
        elif time.monotonic() - self.refused_since > database.REFUSED_LOGIN_RETRIED_FOR:
            raise SystemExit(refusal)

    def database_answers(self) -> None:
        if self.failures:
            log.info("database.back", extra={"failures": self.failures})
        self.failures = 0
        self.health.is_database_down = False
