"""Users who add an address, sign in on another phone with its code, or delete the account."""

import re
import threading
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import httpx

from tests.chaos.load import Load, LoadUser

EVERY = 3.0  # seconds between two actions, on average
FINISHED_WITHIN = 60.0  # seconds; an action is repeated through every fault


class Failed(Exception):
    """A step did not get through; the action begins again."""


class People:
    def __init__(self, load: Load, mail: Path, dice: Random) -> None:
        self.load, self.mail, self.dice = load, mail, dice
        self.is_over = threading.Event()
        self.given_up: list[str] = []
        self.thread = threading.Thread(target=self.run, daemon=True)

    def run(self) -> None:
        actions = [self.sign_in_elsewhere, self.sign_in_elsewhere, self.leave]
        with httpx.Client(base_url=self.load.stack.gateway_url, timeout=5) as client:
            while not self.is_over.wait(self.dice.expovariate(1 / EVERY)):
                self.finish(client, self.dice.choice(actions))

    def stop(self) -> None:
        self.is_over.set()
        self.thread.join(FINISHED_WITHIN + 10)

    def finish(self, client: httpx.Client, action: Callable[[httpx.Client, LoadUser], None]) -> None:
        user = self.dice.choice([user for user in self.load.users if not user.is_deleted])
        until = time.monotonic() + FINISHED_WITHIN
        while time.monotonic() < until:
            try:
                action(client, user)
                return
            except (Failed, httpx.HTTPError, ValueError):
                time.sleep(0.3)
        self.given_up.append(f"{action.__name__} of {user.id}")

    def leave(self, client: httpx.Client, user: LoadUser) -> None:
        """As an app does: asked until an answer is known; a second answer is as the first."""
        if sum(user.is_deleted for user in self.load.users) > len(self.load.users) / 2:
            return
        user.is_deleted = True
        self.post(client, "/rest/v1/rpc/delete_account", {}, user.token)

    def sign_in_elsewhere(self, client: httpx.Client, user: LoadUser) -> None:
        """The first time the address is taken.

        Both phones stay signed in, and later requests come from the new one.
        """
        address = f"{user.id}@example.com"
        wanted: dict[str, Any] = {"email": address, "data": {}, "create_user": False}
        try:
            session = self.with_code(client, "email", wanted)
        except Failed:
            headers = self.headers(user.token)
            client.put("/auth/v1/user", json={"email": address}, headers=headers)
            self.verify(client, "email_change", address)
            session = self.with_code(client, "email", wanted)
        user.phones.append((session["user"]["id"], session["access_token"]))
        user.token = session["access_token"]

    def with_code(self, client: httpx.Client, kind: str, wanted: dict[str, Any]) -> dict[str, Any]:
        self.post(client, "/auth/v1/otp", wanted, None)
        return self.verify(client, kind, wanted["email"])

    def verify(self, client: httpx.Client, kind: str, address: str) -> dict[str, Any]:
        """With the last code that was printed; the file ends with a part of a line where the
        gateway was killed.
        """
        printed = self.mail.read_text(errors="replace")
        codes = re.findall(rf"A mail to {address}: your code is (\d{{6}})\n", printed)
        if not codes:
            raise Failed
        body = {"email": address, "token": codes[-1], "type": kind}
        session: dict[str, Any] = self.post(client, "/auth/v1/verify", body, None).json()
        return session

    def post(self, client: httpx.Client, path: str, body: object, token: str | None) -> httpx.Response:
        answer = client.post(path, json=body, headers=self.headers(token))
        if not answer.is_success:
            raise Failed
        return answer

    def headers(self, token: str | None) -> dict[str, str]:
        headers = {"apikey": self.load.stack.publishable_key}
        return headers | ({"Authorization": f"Bearer {token}"} if token else {})
