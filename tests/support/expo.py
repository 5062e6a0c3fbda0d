"""A stand-in for Expo's push service, over real HTTP, that misbehaves on demand."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

NOT_REGISTERED = {
    "status": "error",
    "message": "is not a registered push notification recipient",
    "details": {"error": "DeviceNotRegistered"},
}


class Expo:
    """`does` is what it does with the next requests; `requests` are the bodies that it got."""

    def __init__(self) -> None:
        self.does = "accept"
        self.gone: set[str] = set()
        self.requests: list[list[dict[str, Any]]] = []
        self.url = ""
        self.is_over = threading.Event()

    def answer(self, messages: list[dict[str, Any]]) -> tuple[int, bytes]:
        match self.does:
            case "fail":
                return 500, b"<h1>Bad gateway</h1>"
            case "refuse":
                return 429, b'{"errors": [{"code": "TOO_MANY_REQUESTS", "message": "Slow down."}]}'
            case "mumble":
                return 200, b'{"data": 1}'
            case "flood":
                return 200, b'{"data": [' + b" " * 1_000_000 + b"]}"
        tickets = [NOT_REGISTERED if m["to"] in self.gone else {"status": "ok", "id": "1"} for m in messages]
        return 200, json.dumps({"data": tickets}).encode()


@contextmanager
def serving() -> Iterator[Expo]:
    expo = Expo()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            messages = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            expo.requests.append(messages)
            if expo.does == "hang":
                expo.is_over.wait()
            with suppress(OSError):  # the client hangs up
                if expo.does == "break off":
                    self.connection.close()
                    return
                while expo.does == "drip" and not expo.is_over.wait(0.05):
                    self.wfile.write(b"x")
                status, body = expo.answer(messages)
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        expo.url = f"http://127.0.0.1:{server.server_port}/send"
        yield expo
        expo.is_over.set()
        server.shutdown()
