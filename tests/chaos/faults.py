"""The faults: each begins, lasts for a while and ends; then the affected jobs must go on."""

import contextlib
import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
import redis
from celery import Celery

import settings
from tests.chaos.load import Load
from tests.chaos.system import LEASE_SECONDS, ChaosSystem
from tests.support.processes import ControlledProcess


@contextmanager
def down(system: ChaosSystem, process: ControlledProcess, how: Callable[[], object]) -> Iterator[None]:
    """Ended by `how` and kept down for the length of the `with`."""
    system.held_down.add(process)
    try:
        how()
        process.wait(30)
        yield
        process.start()
    finally:
        system.held_down.discard(process)


class Faults:
    """Every kind is a method that returns after the fault ended; `names` is the list the dice
    choose from.
    """

    def __init__(self, system: ChaosSystem, load: Load, dice: random.Random) -> None:
        self.system, self.load, self.dice = system, load, dice

    def last(self, longest: float) -> None:
        time.sleep(self.dice.uniform(0, longest))

    def kill(self, process: ControlledProcess, longest: float = 2) -> None:
        with down(self.system, process, process.kill):
            self.last(longest)

    def freeze(self, process: ControlledProcess, longest: float) -> None:
        process.freeze()
        self.last(longest)
        process.thaw()

    def kill_bridge(self) -> None:
        self.kill(self.dice.choice(self.system.bridges))

    def freeze_bridge(self) -> None:
        self.freeze(self.dice.choice(self.system.bridges), 6)

    def stop_bridge(self) -> None:
        bridge = self.dice.choice(self.system.bridges)
        with down(self.system, bridge, bridge.terminate):
            pass

    def kill_both_bridges(self) -> None:
        for bridge in self.system.bridges:
            self.kill(bridge, 1)

    def kill_worker(self) -> None:
        self.kill(self.dice.choice(self.system.workers))

    def freeze_worker(self) -> None:
        """Sometimes for longer than its lease: then it wakes up as a zombie."""
        self.freeze(self.dice.choice(self.system.workers), LEASE_SECONDS * 1.6)

    def stop_worker(self) -> None:
        worker = self.dice.choice(self.system.workers)
        with down(self.system, worker, worker.terminate):
            pass

    def kill_redis(self) -> None:
        self.kill(self.system.redis, 3)

    def lose_redis(self) -> None:
        """Killed, and its disk is empty when it comes back."""
        self.kill(self.system.redis, 3)
        self.flush_redis()

    def flush_redis(self) -> None:
        with contextlib.suppress(redis.RedisError):
            self.system.redis.flush()

    def freeze_redis(self) -> None:
        self.freeze(self.system.redis, 6)

    def kill_postgres(self) -> None:
        self.kill(self.system.postgres, 2)

    def restart_postgres(self) -> None:
        postgres = self.system.postgres
        with down(self.system, postgres, lambda: postgres.send(signal.SIGINT)):
            self.last(1)

    def end_every_session(self) -> None:
        with contextlib.suppress(psycopg.Error), self.system.connect() as conn:
            conn.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid()"
            )

    def cut_connections(self) -> None:
        self.system.relays[self.dice.choice(["postgres", "redis"])].cut()

    def silence_connections(self) -> None:
        """Half-open: they stay, and nothing passes any more."""
        self.system.relays[self.dice.choice(["postgres", "redis"])].silence()

    def kill_gateway(self) -> None:
        self.kill(self.system.gateway)

    def freeze_gateway(self) -> None:
        self.freeze(self.system.gateway, 4)

    def kill_function(self) -> None:
        self.kill(self.dice.choice(self.system.functions))

    def freeze_function(self) -> None:
        self.freeze(self.dice.choice(self.system.functions), 4)

    def deliver_duplicates(self) -> None:
        job_ids = list(self.load.seen.accepted)[-30:]
        with (
            contextlib.suppress(Exception),
            Celery(broker=self.system.redis.url, set_as_current=False) as app,
        ):
            for job_id in job_ids * 3:
                app.send_task(settings.TASK_NAME, (job_id,), queue=settings.QUEUE, retry=False)

    @property
    def names(self) -> list[str]:
        helpers = {"last", "kill", "freeze", "names", "begin"}
        return sorted(name for name in vars(Faults) if not name.startswith("_") and name not in helpers)

    def begin(self, name: str) -> None:
        getattr(self, name)()
