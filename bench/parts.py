"""The measurements of a contender: latency, bursts and their cost, idleness, and jobs in flight."""

import bisect
import itertools
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from bench.contenders import Contender
from bench.meter import Counts, DatabaseCounters, all_stats, cpu
from bench.processes import SLOTS, running
from local import postgres
from tests.support.processes import ControlledProcess
from tests.support.waiting import wait_until

WARM_UP = 20  # jobs that are not counted
FIRST_OF_BACKLOG = 200  # jobs that are not counted, where a warm-up would wait behind the others
SETTLE = 15.0  # seconds, in which the backoff of an idle bridge grows
LONGEST = 600.0  # seconds that a burst may take
IN_FLIGHT_SECONDS = 5.0  # that each job waits for its provider


@contextmanager
def started(contender: Contender) -> Iterator[list[ControlledProcess]]:
    """Run the processes of a contender, after a warm-up and without jobs."""
    contender.lines.clear()
    with running(contender.programs(), contender.place.folder) as processes:
        contender.trickle(WARM_UP)
        wait_until(lambda: contender.lines.count() >= WARM_UP, "the warm-up", 120)
        wait_until(lambda: not contender.left(), "the warm-up to end", 60)
        yield processes


def latencies(contender: Contender, count: int) -> list[float]:
    """Return the milliseconds from the commit of a job to its first line, one job at a time.

    They are negative if a worker begins before the client has received the answer to its commit.
    """
    with started(contender):
        sent = contender.trickle(count)
        wait_until(lambda: contender.lines.count() >= WARM_UP + count, "every first line", 60)
        # Some queues never free the job of a killed worker.
        wait_until(lambda: not contender.left(), "the jobs to end", 60)
        begun = dict(contender.lines.at)
        return [(begun[job_id] - at) / 1e6 for job_id, at in sent.items()]


@dataclass(frozen=True, slots=True)
class Burst:
    rate: float
    """Jobs a second, from the first line of the first until the last has ended."""
    cpu: dict[str, float]
    """Microseconds a job, by the kind of process."""
    database: dict[str, float]
    """Transactions, fsyncs, bytes of WAL and buffers a job. Bytes of disk include enqueueing."""


def burst(contender: Contender, count: int, database: DatabaseCounters) -> Burst:
    """Measure a burst.

    The processes run, and one kind of them is frozen until all jobs wait. The cost of enqueueing is
    not counted.
    """
    name = contender.place.stack.database
    before = database.counts(name)
    with started(contender) as processes:
        gates = [process for process in processes if process.name.startswith(contender.gate)]
        for gate in gates:
            gate.freeze()
        enqueueing = database.counts(name)
        contender.defer(count)
        enqueueing = database.counts(name) - enqueueing
        contender.lines.count()
        former = len(contender.lines.at)
        used = used_cpu(contender, processes, database)
        for gate in gates:
            gate.thaw()
        wait_until(lambda: contender.lines.count() - former >= count, "the burst", LONGEST, every=0.005)
        wait_until(lambda: not contender.left(), "the burst to end", 60, every=0.005)
        ended = time.monotonic_ns()
        used = used_cpu(contender, processes, database) - used
        times = [at for _, at in contender.lines.at[former:]]
    # A session reports its counts when it ends.
    wait_until(lambda: not database.sessions(name), "its sessions to end", 30)
    grown = (database.counts(name) - before).per(count + WARM_UP)
    spent = {kind: value - enqueueing.per(count)[kind] for kind, value in grown.items() if kind != "disk"}
    return Burst(
        count / (ended - min(times)) * 1e9,
        {kind: value * 1e6 for kind, value in used.per(count).items()},
        spent | {"disk": grown["disk"]},
    )


def used_cpu(contender: Contender, processes: list[ControlledProcess], database: DatabaseCounters) -> Counts:
    sessions: dict[str, list[int]] = {}
    for process in processes:
        sessions.setdefault(process.name.partition("-")[0], []).append(pid_of(process))
    if contender.place.redis is not None:
        sessions["Redis"] = [pid_of(contender.place.redis)]
    return cpu(sessions, database.postmaster)


def pid_of(process: ControlledProcess) -> int:
    assert process.popen is not None
    return process.popen.pid


def rate_of_backlog(contender: Contender, waiting: int, count: int) -> float:
    """Return the first lines a second while `waiting` jobs wait."""
    contender.lines.clear()
    contender.fill(waiting)
    wanted = min(FIRST_OF_BACKLOG, waiting // 4) + min(count, waiting // 2)
    with running(contender.programs(), contender.place.folder):
        wait_until(lambda: contender.lines.count() >= wanted, "the burst", LONGEST, every=0.005)
    contender.forget()
    times = sorted(at for _, at in contender.lines.at)[:wanted]
    first = len(times) - min(count, waiting // 2)
    return (len(times) - first - 1) / (times[-1] - times[first]) * 1e9


@dataclass(frozen=True, slots=True)
class Idle:
    """The resources that a contender without jobs uses in a minute."""

    connections: int
    statements: float
    redis_commands: float
    cpu: float
    """Milliseconds of its processes and of their sessions in Postgres."""


def idle(contenders: list[Contender], seconds: float, database: DatabaseCounters) -> dict[str, Idle]:
    """Measure all contenders at the same time, so that it takes as long as one."""
    with ExitStack() as stack:
        processes = {one.name: stack.enter_context(started(one)) for one in contenders}
        time.sleep(min(SETTLE, seconds))
        log = contenders[0].place.stack.folder / "postgres.log"
        log_statements(contenders[0], "all")
        size = log.stat().st_size
        before = {one.name: seen(one, processes[one.name], database) for one in contenders}
        time.sleep(seconds)
        after = {one.name: seen(one, processes[one.name], database) for one in contenders}
        lines = log.read_bytes()[size:].decode(errors="replace").splitlines()
        log_statements(contenders[0], "none")
        minute = 60 / seconds
        return {
            one.name: Idle(
                len(database.sessions(one.place.stack.database)),
                statements(lines, one.place.stack.database) * minute,
                (after[one.name][1] - before[one.name][1]) * minute,
                (after[one.name][0] - before[one.name][0]) * 1000 * minute,
            )
            for one in contenders
        }


def seen(
    contender: Contender, processes: list[ControlledProcess], database: DatabaseCounters
) -> tuple[float, int]:
    """Return the seconds of CPU time and the commands of Redis until now."""
    leaders = [pid_of(process) for process in processes]
    own = sum(used for _, (_, session, used) in all_stats() if session in leaders)
    commands = 0
    if contender.place.redis is not None:
        with contender.place.redis.client as client:
            info = client.info("commandstats")
            ours = ("cmdstat_info", "cmdstat_hello", "cmdstat_client")  # those of this client
            commands = sum(one["calls"] for name, one in info.items() if not name.startswith(ours))
    return own + database.cpu_of_sessions(contender.place.stack.database), commands


def statements(lines: list[str], database: str) -> int:
    """Count the statements in a database, without those of the bench.

    The bench reads the counts of all contenders by a session in the database of the first one.
    """
    asked = [
        line
        for line in lines
        if line.startswith(f"{database}|") and not line.startswith(f"{database}|bench|")
    ]
    return sum("statement:" in line or "execute" in line for line in asked)


def log_statements(contender: Contender, which: str) -> None:
    stack = contender.place.stack
    with psycopg.connect(stack.url_of(postgres.SUPERUSER), autocommit=True, application_name="bench") as conn:
        conn.execute(f"alter system set log_statement = '{which}'".encode())
        conn.execute("select pg_reload_conf()")


@dataclass(frozen=True, slots=True)
class InFlight:
    most: int
    seconds: float
    """From the first line of the first until all have ended."""
    memory: float
    """Megabytes of its processes, at their peak."""


def in_flight(contender: Contender, count: int) -> InFlight:
    """Measure `count` jobs that each wait for their provider.

    They are given to one process, which may run all of them at once.
    """
    contender.lines.clear()
    contender.defer(count)
    programs = contender.programs(slots=max(count, SLOTS), seconds=IN_FLIGHT_SECONDS)
    with running(programs, contender.place.folder) as processes:
        wait_until(lambda: contender.lines.count() >= count, "all to begin", LONGEST)
        wait_until(lambda: not contender.left(), "all to end", LONGEST)
        ended = time.monotonic_ns()
        begun = first_by_id(contender.lines.at)
        wait_until(
            lambda: time.monotonic_ns() > begun[-1] + IN_FLIGHT_SECONDS * 1e9, "the last of bare Celery"
        )
        memory = sum(peak_memory(pid_of(process)) for process in processes)
    ended = max(ended, int(begun[-1] + IN_FLIGHT_SECONDS * 1e9))
    return InFlight(most_at_once(begun), (ended - begun[0]) / 1e9, memory)


def first_by_id(lines: list[tuple[str, int]]) -> list[int]:
    """Return the sorted times at which the jobs first began.

    A job of ours begins twice: the second time to collect the results of its provider.
    """
    begun: dict[str, int] = {}
    for job_id, at in lines:
        begun[job_id] = min(at, begun.get(job_id, at))
    return sorted(begun.values())


def most_at_once(begun: list[int]) -> int:
    window = int(IN_FLIGHT_SECONDS * 1e9)
    return max(
        number - bisect.bisect_left(begun, at - window) for number, at in zip(itertools.count(1), begun)
    )


def peak_memory(leader: int) -> float:
    """Return the peak megabytes of a process and its children."""
    megabytes = 0.0
    for pid, (_, session, _) in all_stats():
        if session == leader:
            status = Path(f"/proc/{pid}/status").read_text()
            megabytes += int(status.partition("VmHWM:")[2].split()[0]) / 1000
    return megabytes
