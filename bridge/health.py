"""Serve the health checks of orchestrators: liveness, readiness, and the lag of the bridge."""

import json
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST

# Seconds without a pass of the loop. Every wait in the loop has a much lower bound.
LOOP_STALLED_AFTER = 60.0
# A prober sends one request at a time. More connections than these are a fault or an attack.
MAX_CONNECTIONS = 16
ASK_WITHIN = 5.0  # seconds without data after which a connection is closed


class Health:
    """The state of the bridge. The loop writes it; the threads of the HTTP server read it."""

    def __init__(self) -> None:
        self.is_broker_down = self.is_database_down = False
        self.is_broker_known = False  # whether Redis was called at least once
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
        return time.monotonic() - self.passed_at < LOOP_STALLED_AFTER

    @property
    def is_ready(self) -> bool:
        is_connected = self.is_broker_known and not (self.is_broker_down or self.is_database_down)
        return self.is_alive and is_connected and self.looked_at is not None

    def facts(self) -> dict[str, Any]:
        """Return the body of an answer. `lag_seconds`: how long a due job may have waited."""
        now = time.monotonic()
        broker = "down" if self.is_broker_down else "up" if self.is_broker_known else "unknown"
        return {
            "database": "down" if self.is_database_down else "up",
            "broker": broker,
            "last_look_seconds_ago": None if self.looked_at is None else round(now - self.looked_at, 1),
            "lag_seconds": round(now - self.caught_up_at, 1),
            "outstanding": self.outstanding,
        }


class HealthServer(ThreadingHTTPServer):
    """An HTTP server that closes its oldest connection when it has more than MAX_CONNECTIONS.

    Without this limit, a few hundred silent connections use up the file descriptors of the process.
    Then every accept fails at once and is tried again, and this loop takes the CPU from the bridge.
    """

    request_queue_size = 64
    opened: deque[socket.socket]

    def server_bind(self) -> None:
        self.opened = deque()
        super(ThreadingHTTPServer, self).server_bind()

    def process_request(self, request: Any, client_address: Any) -> None:
        self.opened.append(request)
        if len(self.opened) > MAX_CONNECTIONS:
            with suppress(OSError, IndexError):  # its thread may close it at the same time
                self.opened.popleft().shutdown(socket.SHUT_RDWR)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with suppress(ValueError):
            self.opened.remove(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log nothing: a prober may disconnect early."""


def serve(health: Health, metrics: Callable[[], bytes], host: str, port: int) -> ThreadingHTTPServer:
    """Serve `/healthz`, `/readyz` and `/metrics` from separate threads.

    An orchestrator restarts the bridge when `/healthz` fails.
    """

    class Handler(BaseHTTPRequestHandler):
        timeout = ASK_WITHIN

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
            """Log nothing: a probe arrives every few seconds."""

    class AddressedServer(HealthServer):
        address_family = socket.AF_INET6 if ":" in host else socket.AF_INET

    try:
        server = AddressedServer((host, port), Handler)
    except OSError as error:
        raise SystemExit(
            f"The bridge cannot listen on {host}, port {port} ({error.strerror}):"
            " set another HEALTH_PORT or HEALTH_HOST."
        ) from None
    threading.Thread(target=server.serve_forever, name="health", daemon=True).start()
    return server
