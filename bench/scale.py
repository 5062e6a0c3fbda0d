"""The needs of 1, 10, 100 and 1,000 jobs a second: the measured cost of one job times the rate."""

import math
from dataclasses import dataclass
from typing import Any

from bench.entries import OURS

RATES = (1, 10, 100, 1_000)  # jobs a second
PROVIDER_SECONDS = 10.0  # in which a job waits for its provider
CLAIMS = 2  # of a job that waits for its provider: to start it, and to collect its results
BUSY = 0.6  # share of a core, a worker or a disk; above it, a burst waits for long
KEPT_DAYS = 30  # until ended jobs are pruned
STARTS_OF_REPLICATE = 10.0  # a second, the default limit of an account
CONNECTIONS_OF_WORKER, CONNECTIONS_OF_BRIDGE, CONNECTIONS_OF_SUPABASE = 4, 2, 30
COMMANDS_OF_REDIS = 3  # a message: one to send it, two to take it
SHARED = 0.2  # share of a small size's cores for lasting load; the host guarantees none


@dataclass(frozen=True, slots=True)
class Size:
    """A size of a hosted project: cores, direct connections, and lasting writes a second."""

    name: str
    cores: float
    connections: int
    writes: int


# From the page compute-and-disk of Supabase's docs. The first three share their cores.
SIZES = (
    Size("Micro", 2 * SHARED, 60, 500),
    Size("Small", 2 * SHARED, 90, 1_000),
    Size("Medium", 2 * SHARED, 120, 2_000),
    Size("Large", 2, 160, 3_600),
    Size("XL", 4, 240, 6_000),
    Size("2XL", 8, 380, 12_000),
    Size("4XL", 16, 480, 20_000),
    Size("8XL", 32, 490, 40_000),
    Size("12XL", 48, 500, 50_000),
    Size("16XL", 64, 500, 80_000),
)

COLUMNS = [
    "Jobs a second",
    "jobs a day",
    "in flight",
    "workers",
    "bridges",
    "database connections",
    "cores of Postgres",
    "commits that flush, a second",
    "WAL a day, GB",
    "disk for 30 days, GB",
    "Redis commands a second",
    "smallest hosted size",
    "gives first",
]


def table(results: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return the table as a block of a report."""
    cost, burst = row_of(results, "cost"), row_of(results, "burst")
    if not cost or not burst:
        return {"text": "Not measured yet."}
    return {"columns": COLUMNS, "rows": [row(float(rate), cost, burst) for rate in RATES]}


def row_of(results: dict[str, dict[str, Any]], key: str) -> dict[str, float]:
    """Return the row of Pilotlight, by column name."""
    for block in results.get("peers", {"blocks": []})["blocks"]:
        for cells in block.get("rows", []):
            if block["key"] == key and cells[0] == OURS:
                return dict(zip(block["columns"], cells, strict=True))
    return {}


def row(rate: float, cost: dict[str, float], burst: dict[str, float]) -> list[str | float]:
    claims = CLAIMS * rate
    # At least two of each, for availability.
    workers = max(2, math.ceil(claims / (BUSY * burst["jobs a second"])))
    bridges = max(2, math.ceil(claims * cost["CPU us, bridge"] / 1e6 / BUSY))
    connections = workers * CONNECTIONS_OF_WORKER + bridges * CONNECTIONS_OF_BRIDGE
    cores = claims * cost["CPU us, Postgres"] / 1e6
    writes = claims * cost["fsyncs"]
    size, first = smallest(cores, connections + CONNECTIONS_OF_SUPABASE, writes)
    return [
        rate,
        round(rate * 86_400),
        round(rate * PROVIDER_SECONDS),
        workers,
        bridges,
        connections,
        cores,
        writes,
        claims * 86_400 * cost["bytes of WAL"] / 1e9,
        rate * 86_400 * KEPT_DAYS * cost["bytes of disk"] / 1e9,
        round(claims * COMMANDS_OF_REDIS),
        size,
        "starts at Replicate" if rate >= STARTS_OF_REPLICATE else first,
    ]


def smallest(cores: float, connections: int, writes: float) -> tuple[str, str]:
    """Return the first size that has room for all three, and the one that fills it most."""
    for size in SIZES:
        used = {
            "cores of Postgres": cores / (BUSY * size.cores),
            "connections": connections / size.connections,
            "flushes of the disk": writes / (BUSY * size.writes),
        }
        if max(used.values()) <= 1:
            return size.name, max(used, key=lambda what: used[what])
    return "none: several projects", "cores of Postgres"
