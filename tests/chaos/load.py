"""Real clients: each makes the id of its request, and repeats it until it has the answer."""

import random
import threading
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

import httpx

from local.stack import Stack

CREDITS = 100_000


@dataclass
class LoadUser:
    id: str
    token: str
    is_deleted: bool = False
    phones: list[tuple[str, str]] = field(default_factory=list)
    """The user that each sign-in came to, and the token it got."""


@dataclass
class Observed:
    """The answers and messages that clients received."""

    accepted: dict[str, tuple[LoadUser, dict[str, Any]]] = field(default_factory=dict)
    repeated: int = 0
    refused: int = 0
    canceled: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


class Load:
    """`rate` requests a second over all clients, from as many users."""

    def __init__(self, stack: Stack, *, rate: float, clients: int, dice: random.Random) -> None:
        self.stack, self.pace, self.dice = stack, clients / rate, dice
        self.seen = Observed()
        self.is_over = threading.Event()
        self.users = [self.sign_up() for _ in range(clients * 2)]
        self.threads = [
            threading.Thread(target=self.run, args=(random.Random(dice.random()),), daemon=True)
            for _ in range(clients)
        ]

    def sign_up(self) -> LoadUser:
        headers = {"apikey": self.stack.publishable_key}
        url = f"{self.stack.gateway_url}/auth/v1/signup"
        answer = httpx.post(url, headers=headers, json={}, timeout=10).raise_for_status().json()
        user = LoadUser(answer["user"]["id"], answer["access_token"])
        user.phones.append((user.id, user.token))
        grant = {
            "p_user_id": user.id,
            "p_amount": CREDITS,
            "p_reason": "chaos",
            "p_external_ref": f"chaos:{user.id}",
        }
        secret = {"apikey": self.stack.secret_key}
        url = f"{self.stack.gateway_url}/rest/v1/rpc/grant_credits"
        httpx.post(url, headers=secret, json=grant, timeout=10).raise_for_status()
        return user

    def start(self) -> None:
        for thread in self.threads:
            thread.start()

    def stop(self) -> None:
        self.is_over.set()
        for thread in self.threads:
            thread.join(60)

    def run(self, dice: random.Random) -> None:
        with httpx.Client(base_url=self.stack.gateway_url, timeout=4) as client:
            while not self.is_over.wait(dice.expovariate(1 / self.pace)):
                user = dice.choice(self.users)
                if not user.is_deleted:
                    self.tap(client, user, dice)

    def tap(self, client: httpx.Client, user: LoadUser, dice: random.Random) -> None:
        job_id, wish = str(uuid.UUID(int=dice.getrandbits(128), version=4)), wish_of(dice)
        if not self.ask(client, user, {"id": job_id, "model": "preview", "input": wish}):
            return
        with self.seen.lock:
            self.seen.accepted[job_id] = (user, wish)
        if dice.random() < 0.05:
            # a late repetition
            self.ask(client, user, {"id": job_id, "model": "preview", "input": wish})
        if dice.random() < 0.05:
            self.cancel(client, user, job_id)

    def ask(self, client: httpx.Client, user: LoadUser, body: dict[str, Any]) -> bool:
        """Until it is accepted, or refused for a reason."""
        give_up_at = time.monotonic() + 60
        headers = {"apikey": self.stack.publishable_key, "Authorization": f"Bearer {user.token}"}
        while time.monotonic() < give_up_at:
            try:
                status = client.post(
                    "/functions/v1/enqueue_generation", json=body, headers=headers
                ).status_code
            except httpx.HTTPError:
                status = 0
            if status == 202:
                return True
            if 400 <= status < 500 and status not in (408, 429):
                break
            self.seen.repeated += 1
            time.sleep(0.3)
        self.seen.refused += 1
        return False

    def cancel(self, client: httpx.Client, user: LoadUser, job_id: str) -> None:
        headers = {"apikey": self.stack.publishable_key, "Authorization": f"Bearer {user.token}"}
        try:
            client.post("/rest/v1/rpc/cancel_generation", json={"p_id": job_id}, headers=headers)
            self.seen.canceled += 1
        except httpx.HTTPError:
            pass  # a wish; the job ends either way


def wish_of(dice: random.Random) -> dict[str, Any]:
    wish: dict[str, Any] = {"prompt": f"a fox, {dice.random():.6f}"}
    kind = dice.random()
    if kind < 0.1:
        wish["prompt"] = "something forbidden"
    elif kind < 0.3:
        wish["seconds"] = round(dice.uniform(0.2, 3), 2)
    return wish
