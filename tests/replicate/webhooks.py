"""Webhooks as Replicate sends them: signed, the last one retried for a while; and forged."""

import base64
import hashlib
import hmac
import json
import secrets
import time
from concurrent.futures import ThreadPoolExecutor

import httpx

from tests.replicate.behaviour import Webhook
from tests.replicate.predictions import Clock, Prediction

SECRET = "whsec_" + base64.b64encode(b"misbehaving but signed").decode()
RETRY_AFTER = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0)  # the terminal one alone, for about a minute


def signed(body: bytes, secret: str = SECRET, at: float | None = None) -> dict[str, str]:
    message_id, timestamp = f"msg_{secrets.token_hex(8)}", str(int(at or time.time()))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
        "content-type": "application/json",
    }


class Webhooks:
    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.pool = ThreadPoolExecutor(4, thread_name_prefix="webhooks")
        self.client = httpx.Client(timeout=10, trust_env=False)
        self.answers: list[int] = []

    def send(self, prediction: Prediction, kind: Webhook, attempt: int = 0) -> None:
        url = prediction.body.get("webhook", "")
        if url.startswith("http://127.0.0.1:"):  # nothing leaves this machine
            self.pool.submit(self.deliver, prediction, kind, url, attempt)

    def deliver(self, prediction: Prediction, kind: Webhook, url: str, attempt: int) -> None:
        body = json.dumps(
            prediction.json() | ({"logs": "x" * 2_000_000} if kind == "oversized" else {})
        ).encode()
        headers = signed(body)
        if kind == "unsigned":
            headers = {"content-type": "application/json"}
        elif kind == "forged":
            headers = signed(body, "whsec_" + base64.b64encode(b"a guess").decode())
        try:
            status = self.client.post(url, content=body, headers=headers).status_code
        except httpx.HTTPError:
            status = 0
        self.answers.append(status)
        if not 200 <= status < 300 and kind in ("completed", "oversized") and attempt < len(RETRY_AFTER):
            self.clock.call(RETRY_AFTER[attempt], lambda: self.send(prediction, kind, attempt + 1))

    def close(self) -> None:
        self.pool.shutdown(wait=True, cancel_futures=True)
        self.client.close()
