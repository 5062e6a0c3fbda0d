"""`python -m tests.chaos --seed 1 --requests 5000 --faults 200`: exits 1 on a broken promise."""

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.chaos import promises
from tests.chaos.faults import Faults
from tests.chaos.load import Load
from tests.chaos.people import People
from tests.chaos.recovery import Recovery, percentile
from tests.chaos.shop import ChaosShop
from tests.chaos.system import ChaosSystem


class Run:
    def __init__(self, folder: Path, *, seed: int, requests: int, faults: int, rate: float) -> None:
        dice = random.Random(seed)
        self.seed, self.requests, self.wanted = seed, requests, faults
        self.system = ChaosSystem(folder)
        self.system.start()
        self.load = Load(self.system.stack, rate=rate, clients=12, dice=dice)
        self.shop = ChaosShop(self.system, self.load, events=requests, rate=rate, dice=dice)
        self.people = People(self.load, self.system.gateway.log, random.Random(dice.random()))
        self.faults = Faults(self.system, self.load, dice)
        self.recovery = Recovery(self.system)
        self.dice = dice
        self.happened: Counter[str] = Counter()
        self.unfinished = -1
        self.violations: dict[str, int] = {}

    def execute(self) -> None:
        begun = time.monotonic()
        self.load.start()
        self.shop.thread.start()
        self.people.thread.start()
        self.recovery.thread.start()
        while self.happened.total() < self.wanted or len(self.load.seen.accepted) < self.requests:
            self.break_something()
        self.load.stop()
        self.system.wait_answering()
        self.people.stop()
        self.shop.finish()
        self.unfinished = self.system.wait_for_jobs(timeout=120)
        self.recovery.is_over.set()
        self.recovery.thread.join(10)
        self.violations = promises.check(self.system, self.load, self.shop, self.people)
        self.seconds = time.monotonic() - begun

    def break_something(self) -> None:
        """First every kind once, then by dice."""
        names = self.faults.names
        count = self.happened.total()
        name = names[count] if count < len(names) else self.dice.choice(names)
        self.faults.begin(name)
        self.happened[name] += 1
        self.recovery.fault_ended(name)
        time.sleep(self.dice.uniform(0, 2))

    @property
    def is_clean(self) -> bool:
        return self.unfinished == 0 and not any(self.violations.values())

    def print_table(self) -> None:
        seen = self.load.seen
        print(f"seed {self.seed}, {self.seconds:.0f} s, {self.happened.total()} faults")
        print(f"accepted {len(seen.accepted)}, repeated by clients {seen.repeated}, refused {seen.refused},")
        print(
            f"canceled by users {seen.canceled}, accounts deleted {sum(u.is_deleted for u in self.load.users)},"
        )
        print(
            f"store events {len(self.shop.events)}, signed in elsewhere"
            f" {sum(len(user.phones) - 1 for user in self.load.users)} times"
        )
        print(
            f"ended as: {promises.endings(self.system)};"
            f" unreferenced objects: {promises.unreferenced_objects(self.system)}"
        )
        print(f"\n{'fault':<22}{'times':>6}{'jobs':>7}{'p50 s':>8}{'p95 s':>8}{'max s':>8}")
        for name, times in sorted(self.happened.items()):
            self.print_recovery(name, times, self.recovery.seconds.get(name, []))
        everything = [one for seconds in self.recovery.seconds.values() for one in seconds]
        self.print_recovery("all", self.happened.total(), everything)
        print(f"\n{'violations':<50}{sum(self.violations.values()):>6}")
        for promise, count in self.violations.items():
            print(f"  {promise:<48}{count:>6}")

    def print_recovery(self, name: str, times: int, seconds: list[float]) -> None:
        p50, p95, most = percentile(seconds, 0.5), percentile(seconds, 0.95), max(seconds, default=0.0)
        print(f"{name:<22}{times:>6}{len(seconds):>7}{p50:>8.2f}{p95:>8.2f}{most:>8.2f}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--requests", type=int, default=300)
    parser.add_argument("--faults", type=int, default=25)
    parser.add_argument("--rate", type=float, default=10, help="requests a second")
    parser.add_argument("--keep", type=Path, help="keep logs and data in this folder")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pilotlight-chaos-") as folder:
        root = given.keep or Path(folder)
        root.mkdir(parents=True, exist_ok=True)
        root.chmod(0o755)
        run = Run(root, seed=given.seed, requests=given.requests, faults=given.faults, rate=given.rate)
        try:
            run.execute()
            run.print_table()
        finally:
            run.system.stop()
    return 0 if run.is_clean else 1


if __name__ == "__main__":
    sys.exit(main())
