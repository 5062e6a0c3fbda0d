"""A store repeats unanswered events, so kill -9 of function and gateway changes no result."""

import queue
import secrets
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random
from uuid import UUID

import httpx
import pytest

from local import stack as stacks
from local.stack import Stack, free_port
from tests.edge import functions
from tests.edge.test_purchase_webhook import NAME, body_of, signed
from tests.edge.tokens import Issuer
from tests.support import deno
from tests.support.actors import Operator
from tests.support.processes import ROOT
from tests.support.store import ADD_PRODUCT, PRODUCTS, Event, Oracle, Year

SEEDS = range(2)
EVENTS, TELLERS, STARTER = 120, 4, 50
BACKOFF = 0.1  # seconds until a store repeats; RevenueCat waits for minutes
WITHIN = 180  # seconds after which an unfinished storm is a failure
SECRET = secrets.token_bytes(24)
ACCOUNTS = "select user_id, credits - owed as net, paid_until from public.entitlements"


class Mortal:
    """A process that a test kills and starts again at the same address."""

    def __init__(self, command: list[str], environment: dict[str, str], url: str) -> None:
        self.command, self.environment, self.url = command, environment, url
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            self.command,
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until = time.monotonic() + 30
        while True:
            try:
                httpx.options(self.url, trust_env=False)
                return
            except httpx.TransportError:
                assert time.monotonic() < until, "it did not start"
                time.sleep(0.05)

    def die(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def mortals(stack: Stack) -> Iterator[list[Mortal]]:
    """The function, and the gateway behind it."""
    port = free_port(0, {stack.gateway_port})
    keys = {"publishable": stack.publishable_key, "secret": stack.secret_key}
    environment = {
        **deno.ENVIRONMENT,
        **functions.function_environment(stack.gateway_url, Issuer(""), keys, SECRET),
        "DENO_SERVE_ADDRESS": f"tcp:127.0.0.1:{port}",
    }
    stacks.save(stack)
    gateway = [sys.executable, "-m", "local.gateway", str(stack.folder / "stack.json")]
    script = str(functions.FUNCTIONS / NAME / "index.ts")
    function = [str(deno.DENO), "run", "--no-prompt", "--allow-net", "--allow-env", script]
    started = [
        Mortal(gateway, deno.ENVIRONMENT, f"{stack.gateway_url}/auth/v1/health"),
        Mortal(function, environment, f"http://127.0.0.1:{port}/{NAME}"),
    ]
    yield started
    for mortal in started:
        mortal.die()


@contextmanager
def dying(mortals: list[Mortal], dice: Random) -> Iterator[None]:
    done = threading.Event()

    def kill() -> None:
        while not done.wait(0.5):
            mortal = dice.choice(mortals)
            mortal.die()
            mortal.start()

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def teller(url: str, told: "queue.Queue[Event]", statuses: Counter[int]) -> Callable[[], None]:
    """An action that sends events until all got a 200; others go back to the queue."""

    def tell() -> None:
        with httpx.Client(timeout=10, trust_env=False) as http:
            while one := told.get():
                body = body_of(one)
                try:
                    status = http.post(url, content=body, headers=signed(SECRET, body)).status_code
                except httpx.TransportError:
                    status = 0
                statuses[status] += 1
                if status != 200:
                    time.sleep(BACKOFF)
                    told.put(one)
                told.task_done()

    return tell


def tell(url: str, events: list[Event]) -> Counter[int]:
    told: queue.Queue[Event] = queue.Queue()
    for one in events:
        told.put(one)
    statuses: Counter[int] = Counter()
    threads = [threading.Thread(target=teller(url, told, statuses), daemon=True) for _ in range(TELLERS)]
    for thread in threads:
        thread.start()
    until = time.monotonic() + WITHIN
    while told.unfinished_tasks:
        assert time.monotonic() < until, "the storm does not end"
        time.sleep(0.02)
    for _ in threads:
        told.put({})
    for thread in threads:
        thread.join()
    return statuses


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_is_lost_or_done_twice_when_the_gate_dies(
    stack: Stack, mortals: list[Mortal], seed: int, capsys: pytest.CaptureFixture[str]
) -> None:
    dice, operator = Random(seed), Operator(stack.database_url)
    for product, (credits, *access) in PRODUCTS.items():
        operator.conn.execute(ADD_PRODUCT, (product, credits, *access))
    operator.configure(accept_sandbox_purchases=False)
    users: list[UUID] = [operator.add_user(credits=STARTER) for _ in range(4)]
    events = Year(dice, users).live(EVENTS)
    told = events + dice.sample(events, EVENTS // 2)
    dice.shuffle(told)

    with dying(mortals, dice):
        statuses = tell(mortals[1].url, told)

    expected = Oracle(dict.fromkeys(users, STARTER)).read(events)
    found = {row["user_id"]: (row["net"], row["paid_until"]) for row in operator.rows(ACCOUNTS)}
    assert found == {user: (account.net, account.paid_until) for user, account in expected.items()}
    assert operator.rows("select * from private.ledger_mismatches()") == []
    operator.conn.close()
    assert statuses.keys() <= {0, 200, 503} and statuses[200] == len(told)
    with capsys.disabled():
        print(f"\nseed {seed}: {len(told)} deliveries of {len(events)} events, answered {dict(statuses)}")
