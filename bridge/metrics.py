"""Export to Prometheus the health of the bridge and the values of `private.metrics()`.

The loop reads the values on its own connection, so a bridge keeps its two connections. It reads
them only while a client requests `/metrics`. The threads of the server return the values that were
read last. No error in this module may stop the loop.
"""

import logging
import threading
import time
from collections import Counter
from collections.abc import Iterator

import psycopg
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

import logs
from bridge.health import Health
from bridge.store import Measurement, Store

log = logging.getLogger("bridge")

READ_EVERY = 5.0  # seconds between two reads, at least
# Seconds. A failed read may take 5 s, and during that time the loop dispatches no job.
READ_AGAIN_AFTER_FAILURE = 60.0
# Seconds after the last request in which the values are read. Prometheus scrapes every minute or
# more often.
ASKED_FOR = 300.0
KEPT_FOR = 60.0  # seconds; older values are left out, since they could mislead an alert
PREFIX = "pilotlight_"

HELP = {
    "jobs": "Unfinished jobs by where they are. 10000 means that or more.",
    "oldest_job_seconds": "For how long the oldest of these jobs has been there.",
    "jobs_overdue": "Jobs whose lease or deadline passed more than 30 seconds ago.",
    "jobs_ended": "Jobs that ended in the last five minutes, by error code; at most the newest 10000.",
    "leg_seconds": "How long the jobs that succeeded in the last five minutes took, from request to start to end.",
    "provider_paused": "Whether a provider, or one model of it, gets one try a minute, and why.",
    "provider_rate_factor": "The fraction of starts_per_minute in force; below 1 after a 429.",
    "provider_budget_used": "The fraction of the calls that starts_per_day or anonymous_starts_per_day allows today.",
    "purchases_not_applied": "Store events of the last day that did not do what they should.",
    "reports_open": "Generations that users reported and no operator has closed.",
    "objects_to_remove": "Stored files whose row is gone and that a worker is to remove.",
    "provider_cancellations": "Predictions to be canceled at the provider.",
    "processes": "Bridges and workers that were seen in the last minute.",
    "processes_in_trouble": "Those of them that cannot reach something, or are refused; make status says what.",
    "webhook_age_seconds": "How long ago the last webhook of a provider came. Not there if none ever came.",
    "ledger_mismatches": "Users whose balance differs from their ledger, as the audit found.",
    "ledger_audit_age_seconds": "How long ago the last audit of all ledgers ended. Not there before the first.",
    "notification_queue_fraction": "How full the notification queue of Postgres is.",
}


class LogEvents(logging.Handler):
    """Counts the log events of this process by name and level."""

    def __init__(self) -> None:
        super().__init__()
        self.counts: Counter[tuple[str, str]] = Counter()

    def emit(self, record: logging.LogRecord) -> None:
        # Event names are constants of the code, so there are few.
        self.counts[str(record.msg), record.levelname] += 1


class Metrics(Collector):
    def __init__(self, health: Health, version: str) -> None:
        self.health, self.version = health, version
        self.events = LogEvents()
        self.lock = threading.Lock()
        self.measured: list[Measurement] = []
        self.asked_at = self.measured_at = -KEPT_FOR - ASKED_FOR
        self.read_at = 0.0  # when the table may be read next
        self.registry = CollectorRegistry()
        self.registry.register(self)

    def exposition(self) -> bytes:
        """Return the answer to `GET /metrics` in the text format of Prometheus."""
        self.asked_at = time.monotonic()
        return generate_latest(self.registry)

    def read(self, store: Store) -> None:
        """Read the values if it is time and a client requests them. The loop calls this."""
        now = time.monotonic()
        if now < self.read_at or now - self.asked_at > ASKED_FOR:
            return
        self.read_at = now + READ_EVERY
        try:
            measured = store.metrics()
        except psycopg.Error as error:
            # The next look at the table handles a broken connection. A database without this
            # function still serves jobs.
            self.read_at = time.monotonic() + READ_AGAIN_AFTER_FAILURE
            log.warning("metrics.not_read", extra={"error": logs.describe(error)})
            return
        with self.lock:
            self.measured, self.measured_at = measured, time.monotonic()

    def describe(self) -> Iterator[Metric]:
        # Without this method the registry would call `collect` when the collector is registered.
        return iter(())

    def collect(self) -> Iterator[Metric]:
        yield from self.of_process()
        with self.lock:
            measured, age = self.measured, time.monotonic() - self.measured_at
        if age <= KEPT_FOR:
            yield gauge("table_age_seconds", "How old the values read from the table are.", age)
            yield from families(measured)

    def of_process(self) -> Iterator[Metric]:
        facts, health = self.health.facts(), self.health
        info = GaugeMetricFamily(PREFIX + "build_info", "Always 1.", labels=["version"])
        info.add_metric([self.version], 1)
        yield info
        yield gauge(
            "database_up", "Whether the bridge is connected to Postgres.", not health.is_database_down
        )
        yield gauge("broker_up", "Whether Redis answers the bridge.", not health.is_broker_down)
        yield gauge("bridge_ready", "Whether /readyz says so.", health.is_ready)
        yield gauge(
            "bridge_lag_seconds",
            "For how long something due may have waited for its message.",
            facts["lag_seconds"],
        )
        counter = CounterMetricFamily(
            PREFIX + "log_events", "Log lines of this bridge by event.", labels=["event", "level"]
        )
        for (event, level), count in sorted(self.events.counts.copy().items()):
            counter.add_metric([event, level], count)
        yield counter


def gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(PREFIX + name, text, value=float(value))


def families(measured: list[Measurement]) -> Iterator[Metric]:
    found: dict[str, Metric] = {}
    for one in measured:
        name = PREFIX + one.name
        family = found.setdefault(name, Metric(name, HELP.get(one.name, one.name), "gauge"))
        family.add_sample(name, one.labels, one.value)
    yield from found.values()
