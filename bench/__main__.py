"""Pilotlight beside bare Celery and the queues that keep their jobs in Postgres.

All do the same work, on this machine, in one run. Each round measures every contender once, and
each round begins with another contender, so that other load on the machine affects all of them;
medians count. The servers serve this run only. It takes about fifteen minutes on two cores.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg

from bench import embedded, install, parts, tables
from bench.contenders import Contender, Place
from bench.entries import ENTRIES, Entry
from bench.meter import DatabaseCounters
from bench.report import Report, at_least, command_line
from bench.tables import Measured
from local import postgres
from local.stack import Stack
from operate.migrate import migrate
from tests.support.servers import Redis

PARTS = ("latency", "burst", "backlog", "idle", "in-flight")
# No checkpoint falls into a measurement. Commits wait for the disk as by default.
SETTINGS = {"max_wal_size": "16GB", "checkpoint_timeout": "1h", "log_line_prefix": "%d|%a|"}


def arguments() -> argparse.Namespace:
    parser = command_line(__doc__)
    parser.add_argument("--rounds", type=at_least(1), default=5)
    parser.add_argument(
        "--warm-up", type=at_least(0), default=1_000, help="jobs of a burst that is not counted"
    )
    parser.add_argument("--samples", type=at_least(2), default=100, help="latencies of a contender and round")
    parser.add_argument("--burst", type=at_least(10), default=6_000, help="jobs that wait at once")
    parser.add_argument(
        "--backlog", type=at_least(10), default=1_000_000, help="jobs behind which a burst is measured"
    )
    parser.add_argument("--idle", type=at_least(1), default=60, help="seconds in which nothing is asked")
    parser.add_argument(
        "--in-flight", type=at_least(1), default=1_000, help="jobs that wait for their provider"
    )
    parser.add_argument("--only", choices=ENTRIES, action="append", help="this contender; may be repeated")
    parser.add_argument("--part", choices=PARTS, action="append", help="this part; may be repeated")
    parser.add_argument(
        "--postgres", type=int, choices=embedded.VERSIONS, default=18, help="17 is what Supabase hosts"
    )
    asked = parser.parse_args()
    asked.only, asked.part = asked.only or list(ENTRIES), asked.part or list(PARTS)
    return asked


def main() -> None:
    asked = arguments()
    install.peers()
    embedded.choose(asked.postgres)
    report = Report("peers" if asked.postgres == 18 else f"peers-{asked.postgres}", asked.results)
    with servers(asked) as contenders:
        bench = Bench(contenders, asked)
        report.title(f"Beside the peers, on Postgres {asked.postgres}")
        tables.write(report, bench.measure(), asked)


@contextmanager
def servers(asked: argparse.Namespace) -> Iterator[list[Contender]]:
    entries = {name: ENTRIES[name] for name in asked.only}
    with ExitStack() as opened:
        stack = opened.enter_context(embedded.supabase(**SETTINGS))
        if any(entry.is_ours for entry in entries.values()):
            migrate(stack.database_url)
            postgres.seed(stack.database_url)
            postgres.make_process_logins(stack)
        brokers = {entry.is_ours for entry in entries.values() if entry.needs_redis}
        redis = {is_ours: started_redis(opened, stack, f"redis-{is_ours}") for is_ours in brokers}
        contenders = []
        for number, (name, entry) in enumerate(entries.items()):
            contender = entry.make(name, place(stack, redis.get(entry.is_ours), number, entry))
            opened.callback(contender.close)
            contenders.append(contender)
        yield contenders


def place(stack: Stack, redis: Redis | None, number: int, entry: Entry) -> Place:
    """Return the place of a contender.

    Pilotlight uses the database of the stack. Each queue in Postgres has a database of its own.
    """
    if entry.needs_redis:
        return Place(stack, folder(stack, f"contender{number}"), redis)
    database = embedded.database(stack, f"peer{number}", "template0")
    return Place(database, folder(stack, f"contender{number}"))


def started_redis(opened: ExitStack, stack: Stack, name: str) -> Redis:
    redis = Redis(folder(stack, name))
    opened.callback(redis.kill)
    return redis.start().wait_ready()


def folder(stack: Stack, name: str) -> Path:
    made = stack.folder / name
    made.mkdir()
    return made


class Bench:
    """The measurements of the contenders, taken in turns."""

    def __init__(self, contenders: list[Contender], asked: argparse.Namespace) -> None:
        self.contenders, self.asked = contenders, asked
        self.singles = [one for one in contenders if not ENTRIES[one.name].bursts_alone]
        self.database = DatabaseCounters(contenders[0].place.stack)
        self.begun = time.monotonic()

    def measure(self) -> Measured:
        asked, measured = self.asked, Measured()
        if asked.warm_up and {"latency", "burst"} & set(asked.part):
            self.warm_up()
        for number in range(asked.rounds):
            for one in self.turns("latency", self.singles, number):
                measured.latencies[one.name].append(parts.latencies(one, asked.samples))
            for one in self.turns("burst", self.contenders, number):
                measured.bursts[one.name].append(parts.burst(one, asked.burst, self.database))
        if "idle" in asked.part:
            self.say(f"all are idle for {asked.idle} s")
            measured.idle = parts.idle(self.singles, asked.idle, self.database)
        for one in self.turns("in-flight", self.singles):
            measured.in_flight[one.name] = parts.in_flight(one, asked.in_flight)
        for one in self.turns("backlog", self.singles):
            measured.backlogs[one.name] = parts.rate_of_backlog(one, asked.backlog, asked.burst)
        return measured

    def warm_up(self) -> None:
        """Fill the tables with rows of all kinds, and collect their statistics.

        In an empty database Postgres may choose a bad plan.
        """
        for one in self.contenders:
            self.say(f"warm-up: {one.name}")
            parts.burst(one, self.asked.warm_up, self.database)
            analyze(one.place.stack)

    def turns(self, part: str, contenders: list[Contender], number: int = 0) -> Iterator[Contender]:
        """Yield the contenders in turn. Each round begins with another one."""
        if part not in self.asked.part:
            return
        first = number % len(contenders)
        for one in contenders[first:] + contenders[:first]:
            self.say(f"round {number + 1} of {self.asked.rounds}, {part}: {one.name}")
            yield one

    def say(self, what: str) -> None:
        minutes, seconds = divmod(int(time.monotonic() - self.begun), 60)
        print(f"{minutes:2}:{seconds:02}  {what}", file=sys.stderr, flush=True)


def analyze(stack: Stack) -> None:
    with psycopg.connect(stack.url_of(postgres.SUPERUSER), autocommit=True) as conn:
        conn.execute("vacuum analyze")


if __name__ == "__main__":
    main()
