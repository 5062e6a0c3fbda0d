"""What orchestrators ask: is the bridge alive, is it of use now, and how far is it behind."""

import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST

STALLED_AFTER = 60.0  # seconds without a pass of the loop; every wait in it is bounded well below


class Health:
    """Written by the loop, read by the server's threads."""

    def __init__(self) -> None:
        self.is_broker_down = self.is_database_down = False
        self.outstanding = 0
        self.looked_at: float | None = None
        self.caught_up_at = self.started_at = self.passed_at = time.monotonic()

    def passed(self) -> None:
        self.passed_at = time.monotonic()

    def looked(self, outstanding: int, *, caught_up: bool) -> None:
        self.outstanding, self.looked_at = outstanding, time.monotonic()
        if caught_up:
            self.caught_up_at = self.looked_at

    @property
    def is_alive(self) -> bool:
        return time.monotonic() - self.passed_at < STALLED_AFTER

    @property
    def is_ready(self) -> bool:
        is_connected = not (self.is_broker_down or self.is_database_down)
        return self.is_alive and is_connected and self.looked_at is not None

    def facts(self) -> dict[str, Any]:
        """`lag_seconds`: for how long something due may have been waiting for its message."""
        now = time.monotonic()
        return {
            "database": "down" if self.is_database_down else "up",
            "broker": "down" if self.is_broker_down else "up",
            "last_look_seconds_ago": None if self.looked_at is None else round(now - self.looked_at, 1),
            "lag_seconds": round(now - self.caught_up_at, 1),
            "outstanding": self.outstanding,
        }


def serve(health: Health, metrics: Callable[[], bytes], port: int) -> ThreadingHTTPServer:
    """Answer `/healthz` (restart me if this fails), `/readyz` and `/metrics` from a thread of its own."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/metrics":
                return self.answer(200, CONTENT_TYPE_LATEST, metrics())
            answers = {"/healthz": health.is_alive, "/readyz": health.is_ready}
            is_well = answers.get(self.path)
            body = json.dumps(health.facts() if is_well is not None else {"error": "not found"}).encode()
            self.answer(404 if is_well is None else 200 if is_well else 503, "application/json", body)

        def answer(self, status: int, kind: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Probes come every few seconds."""

    server = ThreadingHTTPServer(("", port), Handler)
    threading.Thread(target=server.serve_forever, name="health", daemon=True).start()
    return server
