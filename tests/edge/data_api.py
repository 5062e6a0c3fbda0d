"""A stand-in of the Data API that records its requests and fails on demand.

It serves tests of faults only. The answers of the database are tested with a real one.
"""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True, slots=True)
class RecordedCall:
    path: str
    headers: dict[str, str]
    body: Any


@dataclass(slots=True)
class DataApi:
    url: str = ""
    calls: list[RecordedCall] = field(default_factory=list)
    behave: "Callable[[Exchange], None]" = lambda exchange: exchange.answer_well()


class Exchange(BaseHTTPRequestHandler):
    """One request; the test chooses how it is answered."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one write for head and body: Nagle's algorithm would delay the second
    api: DataApi

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.api.calls.append(RecordedCall(self.path, headers, json.loads(body)))
        self.api.behave(self)

    def answer_well(self) -> None:
        _, _, name = self.path.rpartition("/")
        good = {"wake_job": True, "record_purchase": "granted"}
        self.answer(200, good.get(name, {"job": None, "credits": 0, "jobs": []}))

    def answer(self, status: int, body: Any, **headers: str) -> None:
        self.answer_raw(status, json.dumps(body).encode(), **{"Content-Type": "application/json", **headers})

    def answer_raw(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def refuse(self, status: int, code: str, message: str, **headers: str) -> None:
        """Answer with an error in the form of PostgREST."""
        self.answer(status, {"code": code, "message": message, "details": None, "hint": None}, **headers)

    def hang_up(self) -> None:
        self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def data_api() -> Iterator[DataApi]:
    api = DataApi()
    handler = type("Handler", (Exchange,), {"api": api})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        api.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield api
        finally:
            server.shutdown()
            thread.join()
