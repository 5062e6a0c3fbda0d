"""The tables of `make bench`, from the measurements of each contender."""

import argparse
import statistics
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field

from bench.entries import BARE, ENTRIES
from bench.parts import IN_FLIGHT_SECONDS, Burst, Idle, InFlight
from bench.report import Cell, Report, percentile


@dataclass(slots=True)
class Measured:
    latencies: dict[str, list[list[float]]] = field(default_factory=lambda: defaultdict(list))
    bursts: dict[str, list[Burst]] = field(default_factory=lambda: defaultdict(list))
    backlogs: dict[str, float] = field(default_factory=dict)
    idle: dict[str, Idle] = field(default_factory=dict)
    in_flight: dict[str, InFlight] = field(default_factory=dict)


def write(report: Report, measured: Measured, asked: argparse.Namespace) -> None:
    report.write(
        f"Medians of {asked.rounds} rounds in turns, {asked.samples} latencies and a burst of {asked.burst:,} in each."
        " Jobs do nothing. All servers and processes share this machine."
    )
    if measured.latencies:
        columns = ["Commit to first line, idle, ms", "p50", "p95", "p99"]
        report.table(*compared(columns, list(latency_rows(measured.latencies)), "p50"), key="latency")
        report.write("With bare Celery an application publishes after its commit, so publishing counts.")
    if measured.bursts:
        columns = [f"Burst of {asked.burst:,}", "jobs a second"]
        report.table(*compared(columns, list(rate_rows(measured.bursts)), "rate"), key="burst")
        report.table(COST, cost_rows(measured.bursts), key="cost")
    if measured.backlogs:
        columns = [f"Burst with {asked.backlog:,} waiting", "jobs a second"]
        rows: list[list[Cell]] = [[name, rate] for name, rate in measured.backlogs.items()]
        report.table(*compared(columns, rows, "rate"), key="backlog")
        report.write("Bare Celery has them in Redis; ours belong to a thousand users, in turns.")
    if measured.idle:
        report.table(IDLE, idle_rows(measured.idle), key="idle")
    if measured.in_flight:
        columns = [
            f"{asked.in_flight:,} jobs that wait {IN_FLIGHT_SECONDS:.0f} s",
            "in flight at most",
            "s until all ended",
            "MB",
        ]
        flights: list[list[Cell]] = [
            [name, one.most, one.seconds, one.memory] for name, one in measured.in_flight.items()
        ]
        report.table(columns, flights, key="in-flight")
        report.write(
            "Every process may run all of them at once. Ours has its 16 threads, and a job that waits holds none."
        )
    report.table(
        ["", "run as", "does with each job, beside running it"], described(asked.only), key="contenders"
    )
    report.save(sizes=sizes(asked), rounds=raw(measured))


def compared(columns: list[str], rows: list[list[Cell]], what: str) -> tuple[list[str], list[list[Cell]]]:
    """Add a column for the ratio to bare Celery, if that was measured."""
    base = next((row[1] for row in rows if row[0] == BARE), None)
    if not isinstance(base, float):
        return columns, rows
    ratio = [float(row[1]) / base for row in rows]
    return (
        [*columns[:2], f"{what} x {BARE}", *columns[2:]],
        [[*row[:2], one, *row[2:]] for row, one in zip(rows, ratio, strict=True)],
    )


def latency_rows(latencies: dict[str, list[list[float]]]) -> Iterator[list[Cell]]:
    for name, rounds in latencies.items():
        shares = (statistics.median(percentile(one, share) for one in rounds) for share in (0.5, 0.95, 0.99))
        yield [name, *shares]


def rate_rows(bursts: dict[str, list[Burst]]) -> Iterator[list[Cell]]:
    for name, rounds in bursts.items():
        yield [name, statistics.median(one.rate for one in rounds)]


PROCESSES = ("worker", "bridge", "Postgres", "Redis")
COUNTED = ("transactions", "fsyncs", "wal", "buffers", "disk")
COST = [
    "A job of a burst costs",
    *(f"CPU us, {kind}" for kind in PROCESSES),
    "CPU us",
    "transactions",
    "fsyncs",
    "bytes of WAL",
    "buffers",
    "bytes of disk",
]


def cost_rows(bursts: dict[str, list[Burst]]) -> Iterator[list[Cell]]:
    for name, rounds in bursts.items():
        cpu = [statistics.median(one.cpu.get(kind, 0.0) for one in rounds) for kind in PROCESSES]
        if not ENTRIES[name].is_in_postgres:
            cpu[PROCESSES.index("Postgres")] = 0.0
        counts = [statistics.median(one.database[kind] for one in rounds) for kind in COUNTED]
        yield [name, *cpu, sum(cpu), *(counts if ENTRIES[name].is_in_postgres else [0.0] * len(counts))]


IDLE = [
    "Idle, a minute",
    "database connections",
    "statements",
    "commands of Redis",
    "CPU ms, with their sessions in Postgres",
]


def idle_rows(idle: dict[str, Idle]) -> Iterator[list[Cell]]:
    for name, one in idle.items():
        in_postgres = ENTRIES[name].is_in_postgres
        yield [
            name,
            one.connections if in_postgres else 0,
            one.statements if in_postgres else 0.0,
            one.redis_commands,
            one.cpu,
        ]


def described(names: list[str]) -> Iterator[list[Cell]]:
    for name in names:
        yield [name, ENTRIES[name].settings, ENTRIES[name].in_addition]


def sizes(asked: argparse.Namespace) -> dict[str, object]:
    return {name: value for name, value in vars(asked).items() if name != "results"}


def raw(measured: Measured) -> dict[str, object]:
    """Return each round of each contender, so that a reader may draw other conclusions."""
    return {
        "latencies_ms": {
            name: [[round(ms, 3) for ms in one] for one in each] for name, each in measured.latencies.items()
        },
        "bursts": {name: [asdict(one) for one in each] for name, each in measured.bursts.items()},
    }
