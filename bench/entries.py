"""The contenders by name: how each is run, and what it does with a job besides running it."""

from collections.abc import Callable
from dataclasses import dataclass

from bench import backlog, install
from bench.contenders import PEERS, BareCelery, Contender, Peer, Pilotlight, Place


def python_peer(name: str, table: backlog.JobTable) -> Callable[[str, Place], Contender]:
    program = [str(install.PYTHON), "-c", "import peers; peers.run()", name]
    return lambda title, place: Peer(title, place, program, table)


def node_peer(name: str, table: backlog.JobTable) -> Callable[[str, Place], Contender]:
    program = [str(install.NPM.parent / "node"), str(PEERS / "peers.mjs"), name]
    return lambda title, place: Peer(title, place, program, table)


@dataclass(frozen=True, slots=True)
class Entry:
    """How a contender is made and run, and what it does with a job besides running it."""

    make: Callable[[str, Place], Contender]
    settings: str
    in_addition: str
    needs_redis: bool = False
    is_ours: bool = False
    is_in_postgres: bool = True
    bursts_alone: bool = False  # in all other parts it equals the entry before it


OURS_DOES = "credits, ledger, fences, generation row, broadcast, deadline"
BARE, OURS = "bare Celery", "Pilotlight"
ENTRIES = {
    BARE: Entry(
        lambda name, place: BareCelery(name, place, 1), "one process of 16 threads",
        "nothing: a message in Redis, gone with its worker", needs_redis=True, is_in_postgres=False,
    ),
    f"{BARE}, two processes": Entry(
        lambda name, place: BareCelery(name, place, 2), "two of 8 threads", "nothing",
        needs_redis=True, is_in_postgres=False, bursts_alone=True,
    ),
    OURS: Entry(
        lambda name, place: Pilotlight(name, place, 1), "the Procfile: a bridge, a worker of 16 threads",
        OURS_DOES, needs_redis=True, is_ours=True,
    ),
    f"{OURS}, two workers": Entry(
        lambda name, place: Pilotlight(name, place, 2), "a bridge, two workers of 8 threads", OURS_DOES,
        needs_redis=True, is_ours=True, bursts_alone=True,
    ),
    "Procrastinate": Entry(
        python_peer("procrastinate", backlog.PROCRASTINATE), "concurrency 16", "events, a heartbeat of its worker",
    ),
    "PGQueuer": Entry(python_peer("pgqueuer", backlog.PGQUEUER), "batches of 100", "a log row, a heartbeat"),
    "graphile-worker": Entry(
        node_peer("graphile-worker", backlog.GRAPHILE), "16 concurrent jobs", "a lock of 4 hours",
    ),
    "graphile-worker, batched": Entry(
        node_peer("graphile-worker-batched", backlog.GRAPHILE),
        "16 jobs, local queue of 500, completions together", "the same, at a batch a time", bursts_alone=True,
    ),
    "pg-boss": Entry(
        node_peer("pg-boss", backlog.PG_BOSS), "16 workers, batches of 10, LISTEN", "the row is kept, an expiration",
    ),
    "pgmq (Supabase Queues)": Entry(
        python_peer("pgmq", backlog.PGMQ), "reads 16, long poll of 100 ms, deletes each",
        "a visibility timeout",
    ),
}  # fmt: skip
