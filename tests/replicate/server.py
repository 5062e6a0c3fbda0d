"""A misbehaving Replicate over real HTTP: the API as documented, and every way it can hurt.

It counts what it made.
"""

import json
import re
import threading
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from tests.replicate.behaviour import ENDLESS, PAGE, PICTURE, Behaviour, ErrorResponse, Plan, Reply
from tests.replicate.models import MODELS
from tests.replicate.predictions import Clock, Prediction, Predictions, job_of
from tests.replicate.webhooks import SECRET, Webhooks

TOKEN = "r8_of_the_tests"
PAGE_SIZE = 100


class MisbehavingReplicate:
    """Set `plan` to choose what happens to a job's creates, `faults[...]` for what the next
    requests meet.
    """

    def __init__(self) -> None:
        self.url = ""
        self.plan: Plan = lambda job_id, number: Behaviour()
        self.faults: dict[str, deque[ErrorResponse | None]] = defaultdict(
            deque
        )  # by create, get, list, cancel, file, model, upload
        self.uploads: list[bytes] = []
        self.files: dict[str, Reply] = {}  # by the last part of their address
        self.outage: ErrorResponse | None = None
        self.weather: Callable[[str], ErrorResponse | None] = lambda what: None
        self.requests: list[str] = []
        self.list_lag = 0.0
        self.creates_per_second: float | None = None
        self.recent_creates: deque[float] = deque()
        self.throttled = 0
        self.tries: Counter[str] = Counter()
        self.predictions = Predictions()
        self.models: dict[str, Any] = {model["owner"] + "/" + model["name"]: model for model in MODELS}
        self.clock = Clock()
        self.webhooks = Webhooks(self.clock)

    def create(
        self, body: dict[str, Any], model: str, cancel_after: str | None
    ) -> tuple[Prediction, Behaviour]:
        job_id = job_of(body)
        self.tries[job_id] += 1
        behaviour = self.plan(job_id, self.tries[job_id] - 1)
        if behaviour.create in ("refuse", "drop before"):
            return Prediction("none", behaviour, body, model, self.url, cancel_after), behaviour
        prediction = self.predictions.add(
            behaviour=behaviour, body=body, model=model, base_url=self.url, cancel_after=cancel_after
        )
        if behaviour.status != "aborted":
            self.clock.call(0, lambda: self.start(prediction))
        if behaviour.seconds is not None:
            self.clock.call(behaviour.seconds, lambda: self.end(prediction))
        return prediction, behaviour

    def start(self, prediction: Prediction) -> None:
        if not prediction.is_ended:
            prediction.status, prediction.is_started = "processing", True
        for kind, delay in prediction.behaviour.webhooks:
            if kind == "start":
                self.clock.call(delay, lambda: self.webhooks.send(prediction, "start"))

    def end(self, prediction: Prediction, status: str | None = None) -> None:
        if prediction.is_ended:
            return
        prediction.status = status or prediction.behaviour.status
        prediction.is_started = prediction.status != "aborted"
        for kind, delay in prediction.behaviour.webhooks:
            if kind != "start":
                self.clock.call(delay, lambda kind=kind: self.webhooks.send(prediction, kind))  # type: ignore[misc]

    def end_all(self) -> None:
        for prediction in list(self.predictions.all.values()):
            self.end(prediction)

    def is_throttled(self) -> bool:
        """Its own bucket: more than a second's worth in any second is too much."""
        if self.creates_per_second is None:
            return False
        now = time.monotonic()
        while self.recent_creates and self.recent_creates[0] < now - 10:
            self.recent_creates.popleft()
        if len(self.recent_creates) >= self.creates_per_second * 10:
            self.throttled += 1
            return True
        self.recent_creates.append(now)
        return False

    def of(self, job_id: object) -> list[Prediction]:
        return self.predictions.of_job[str(job_id)]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    replicate: MisbehavingReplicate

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"] or 0))
        path = urlsplit(self.path).path
        if path == "/v1/files":
            if self.passes("upload"):
                self.upload(content)
            return
        body = json.loads(content or b"{}")
        if found := re.fullmatch(r"/v1/predictions/(\w+)/cancel", path):
            if self.passes("cancel"):
                self.cancel(found[1])
        elif found := re.fullmatch(r"/v1/models/([\w-]+/[\w-]+)/predictions", path):
            self.create(body, found[1])
        elif path == "/v1/predictions":
            self.create(body, f"owner/name:{body['version']}")
        else:
            self.answer(404, {"detail": "Not found"})

    def upload(self, form: bytes) -> None:
        """As documented, of a multipart form with one file."""
        self.replicate.uploads.append(form)
        name = f"file-{len(self.replicate.uploads)}"
        about = {"id": name, "name": name, "content_type": "image/jpeg", "size": len(form), "etag": name}
        url = f"{self.replicate.url}/v1/files/{name}"
        more = {"checksums": {}, "metadata": {}, "created_at": "", "expires_at": None, "urls": {"get": url}}
        self.answer(201, about | more)

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        if parts.path.startswith("/files/"):
            if self.passes("file", needs_token=False):
                self.file(parts.path.rpartition("/")[2])
        elif parts.path == "/v1/predictions":
            if self.passes("list"):
                self.list(parse_qs(parts.query))
        elif found := re.fullmatch(r"/v1/models/([\w.-]+/[\w.-]+)(?:/versions/\w+)?", parts.path):
            if self.passes("model"):
                self.model(found[1])
        elif parts.path == "/v1/account":
            if self.passes("account"):
                self.answer(200, {"type": "organization", "username": "acme", "name": "Acme"})
        elif parts.path == "/v1/webhooks/default/secret":
            if self.passes("secret"):
                self.answer(200, {"key": SECRET})
        elif self.passes("get"):
            prediction = self.replicate.predictions.all.get(parts.path.rpartition("/")[2])
            self.answer(200, prediction.json()) if prediction else self.answer(404, {"detail": "Not found"})

    def passes(self, what: str, *, needs_token: bool = True) -> bool:
        """Whether the request meets no fault; if it does it is answered."""
        replicate = self.replicate
        replicate.requests.append(what)
        fault = (
            replicate.faults[what].popleft()
            if replicate.faults[what]
            else replicate.outage or replicate.weather(what)
        )
        if needs_token and self.headers["Authorization"] != f"Bearer {TOKEN}":
            fault = ErrorResponse(401, "Unauthenticated")
        if fault is not None:
            self.refuse(fault)
        return fault is None

    def create(self, body: dict[str, Any], model: str) -> None:
        if not self.passes("create"):
            return
        if self.replicate.is_throttled():
            self.refuse(ErrorResponse(429, "Request was throttled. Your rate limit resets in ~1s."))
            return
        prediction, behaviour = self.replicate.create(body, model, self.headers["Cancel-After"])
        match behaviour.create:
            case "refuse":
                self.refuse(behaviour.response)
            case "drop before" | "drop after":
                self.close_connection = True
            case "garble":
                self.answer_raw(201, json.dumps(prediction.json()).encode()[:40], "application/json")
            case "stall":
                time.sleep(60)  # in a thread of its own, which ends with the process
            case "answer":
                self.answer(201, prediction.json())

    def model(self, name: str) -> None:
        model = self.replicate.models.get(name)
        if isinstance(model, bytes):
            self.answer_raw(200, model, "application/json")
        else:
            self.answer(200, model) if model else self.answer(
                404, {"detail": "The requested resource could not be found."}
            )

    def cancel(self, prediction_id: str) -> None:
        prediction = self.replicate.predictions.all.get(prediction_id)
        if prediction is None:
            self.answer(404, {"detail": "Not found"})
            return
        prediction.is_cancel_asked = True
        self.replicate.end(prediction, "canceled" if prediction.is_started else "aborted")
        self.answer(200, prediction.json())

    def list(self, query: dict[str, list[str]]) -> None:
        facts = {key: values[0] for key, values in query.items()}
        offset = int(facts.get("cursor", "0"))
        listed = self.replicate.predictions.listed(
            after=facts.get("created_after"),
            before=facts.get("created_before"),
            older_than=self.replicate.list_lag,
        )
        page = listed[offset : offset + PAGE_SIZE]
        more = urlencode(facts | {"cursor": offset + PAGE_SIZE})
        next_url = f"{self.replicate.url}/v1/predictions?{more}" if listed[offset + PAGE_SIZE :] else None
        self.answer(200, {"previous": None, "next": next_url, "results": [each.json() for each in page]})

    def file(self, name: str) -> None:
        match name:
            case "page":
                self.answer_raw(200, PAGE, "text/html")
            case "endless":
                self.answer_raw(200, ENDLESS * 400, "image/png")
            case "broken":
                self.answer_raw(200, PICTURE[: len(PICTURE) // 2], "image/png")
            case "cut":
                self.send_head(200, len(PICTURE), "image/png")
                self.wfile.write(PICTURE[:50])
                self.close_connection = True
            case "moved":
                self.send_response(302)
                self.send_header("Location", "http://169.254.169.254/latest/meta-data")
                self.send_header("Content-Length", "0")
                self.end_headers()
            case _:
                self.send_file(self.replicate.files.get(name, Reply(PICTURE, "image/png")))

    def send_file(self, reply: Reply) -> None:
        self.send_response(200)
        for key, value in (("Content-Type", reply.content_type), *reply.headers):
            if value is not None:
                self.send_header(key, value)
        if not reply.is_endless:
            self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.close_connection = reply.is_endless
        self.wfile.write(reply.body)
        while reply.is_endless:  # until the client hangs up
            self.wfile.write(reply.body)

    def refuse(self, response: ErrorResponse) -> None:
        body: dict[str, Any] = {"detail": response.detail, "status": response.status}
        if response.invalid_fields:
            body["invalid_fields"] = [{"type": "enum", "field": field} for field in response.invalid_fields]
        self.answer_raw(
            response.status, json.dumps(body).encode(), "application/problem+json", *response.headers
        )

    def answer(self, status: int, body: Any) -> None:
        self.answer_raw(status, json.dumps(body).encode(), "application/json")

    def answer_raw(self, status: int, body: bytes, mime: str, *headers: tuple[str, str]) -> None:
        self.send_head(status, len(body), mime, *headers)
        self.wfile.write(body)

    def send_head(self, status: int, length: int, mime: str, *headers: tuple[str, str]) -> None:
        self.send_response(status)
        for name, value in (("Content-Length", str(length)), ("Content-Type", mime), *headers):
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


class ReplicateServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is nothing to report here."""


@contextmanager
def misbehaving_replicate() -> Iterator[MisbehavingReplicate]:
    replicate = MisbehavingReplicate()
    with ReplicateServer(("127.0.0.1", 0), type("Handler", (Handler,), {"replicate": replicate})) as server:
        replicate.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield replicate
        finally:
            replicate.clock.stop()
            replicate.webhooks.close()
            server.shutdown()
            thread.join()
