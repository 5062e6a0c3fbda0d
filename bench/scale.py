"""What 1, 10, 100 and 1,000 times a load need, computed from what one job costs. A figure of the page, times a rate."""

import math
from typing import Any

from bench.contenders import OURS

TIMES = (1, 10, 100, 1_000)
BASE = 1.0  # jobs a second: 86,400 a day
PROVIDER_SECONDS = 10.0  # that a job waits for its provider
BUSY = 0.6  # of a core or of a worker's rate: more, and a burst waits
CLAIMS = 2  # of a job that waits for a provider: the start, and the collection
KEPT_DAYS = 30  # until ended jobs are pruned
CONNECTIONS_OF_WORKER, CONNECTIONS_OF_BRIDGE = 4, 2
COLUMNS = [
    "Jobs a second",
    "a day",
    "in flight at 10 s each",
    "workers",
    "bridges",
    "database connections",
    "cores of Postgres",
    "commits with a flush, a second",
    "WAL a day, GB",
    "Redis commands a second",
    "gives first",
]


def table(results: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """A block as those of a report."""
    cost, burst = row_of(results, "cost", OURS), row_of(results, "burst", OURS)
    if not cost or not burst:
        return {"text": "Not measured yet."}
    return {"columns": COLUMNS, "rows": [row(BASE * times, cost, burst) for times in TIMES]}


def row_of(results: dict[str, dict[str, Any]], key: str, name: str) -> dict[str, float]:
    for block in results.get("peers", {"blocks": []})["blocks"]:
        if block.get("key") == key:
            found = next((one for one in block["rows"] if one[0] == name), None)
            return dict(zip(block["columns"], found, strict=True)) if found else {}
    return {}


def row(rate: float, cost: dict[str, float], burst: dict[str, float]) -> list[str | float]:
    workers = max(1, math.ceil(CLAIMS * rate / (BUSY * burst["jobs a second"])))
    cores = CLAIMS * rate * cost["CPU us, Postgres"] / 1e6
    fsyncs = CLAIMS * rate * cost["fsyncs"]
    bridges = max(1, math.ceil(rate * cost["CPU us, bridge"] * CLAIMS / 1e6 / BUSY))
    return [
        rate,
        rate * 86_400,
        round(rate * PROVIDER_SECONDS),
        workers,
        bridges + 1,  # one more, for availability
        workers * CONNECTIONS_OF_WORKER + (bridges + 1) * CONNECTIONS_OF_BRIDGE,
        cores,
        fsyncs,
        CLAIMS * rate * 86_400 * cost["bytes of WAL"] / 1e9,
        CLAIMS * rate * 3,
        first_limit(cores, fsyncs, rate),
    ]


def first_limit(cores: float, fsyncs: float, rate: float) -> str:
    first = "Replicate, at 600 starts a minute" if rate * 60 >= 600 else "nothing"
    if cores > 2 * BUSY:
        first = f"Postgres: {math.ceil(cores / BUSY)} cores; partition or prune jobs"
    return first
