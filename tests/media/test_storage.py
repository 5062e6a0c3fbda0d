"""A misbehaving Storage, over real HTTP; and the facts that the log has of it."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

import settings
from tasks import results, storage
from tasks.providers.protocol import Permanent, Unusable
from tasks.storage import NotStored
from tests.media import corpus
from tests.tasks.test_decisions import JOB

KEY = "sb_secret_that_must_not_travel"
PNG = corpus.picture("PNG")


@dataclass
class FaultyStorage:
    """Sends `answers`, one a request, and then answers as Storage does."""

    url: str = ""
    answers: list[tuple[int, bytes, dict[str, str]]] = field(default_factory=list)
    requests: list[tuple[str, str, int]] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyStorage]:
    server = FaultyStorage()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            length = int(self.headers["Content-Length"] or 0)
            self.rfile.read(length)
            server.requests.append((self.command, self.path, length))
            server.keys.append(self.headers["apikey"])
            status, body, headers = server.answers.pop(0) if server.answers else (200, self.usual(), {})
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def usual(self) -> bytes:
            return b"[]" if "/sign/" in self.path or self.command == "DELETE" else b'{"Id": "1", "Key": "k"}'

        do_POST = do_PUT = do_GET = do_DELETE = answer

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        server.url = f"http://127.0.0.1:{http.server_port}"
        thread = threading.Thread(target=http.serve_forever, daemon=True)
        thread.start()
        values = {
            "SUPABASE_URL": server.url,
            "SUPABASE_SECRET_KEY": KEY,
            "REDIS_URL": "redis://127.0.0.1:1/0",
        }
        for name, value in values.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(storage, "PAUSES", (0.001,))
        forget()
        yield server
        for seconds in (30, storage.SIGN_WITHIN):
            storage.connections(seconds).close()
        forget()
        http.shutdown()
        thread.join()


def forget() -> None:
    settings.load.cache_clear()
    storage.bucket.cache_clear()
    storage.connections.cache_clear()


def refusal(status: int, message: str) -> tuple[int, bytes, dict[str, str]]:
    body = {"statusCode": str(status), "error": "Refused", "message": message}
    return 400, json.dumps(body).encode(), {}


def test_no_redirect_is_followed_with_the_key(server: FaultyStorage) -> None:
    server.answers = [(307, b"", {"Location": f"{server.url}/elsewhere"})] * 2
    with pytest.raises(NotStored):
        results.save(JOB, [[PNG]])
    assert [path for _, path, _ in server.requests if "elsewhere" in path] == []
    assert len(server.requests) == 2
    server.answers = [(307, b"", {"Location": f"{server.url}/elsewhere"})]
    assert storage.sign(["a/b/0.png"]) == {}
    assert len(server.requests) == 3


def test_the_error_of_storage_is_in_the_log(server: FaultyStorage, caplog: pytest.LogCaptureFixture) -> None:
    server.answers = [refusal(500, "the disk of Storage is full"), (502, b"<html>Bad gateway</html>", {})]
    with pytest.raises(NotStored, match="Bad gateway"):
        results.save(JOB, [[PNG]])
    (line,) = (record for record in caplog.records if record.message == "object.not_stored")
    assert "the disk of Storage is full" in line.error  # type: ignore[attr-defined]
    with pytest.raises(NotStored, match="no keys today"):
        server.answers = [refusal(403, "no keys today")]
        storage.remove("generations", ["a/b/0.png"])


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"null", b"{}"])
def test_an_answer_of_another_server_is_not_taken_for_one_of_storage(
    server: FaultyStorage, body: bytes
) -> None:
    server.answers = [(200, body, {})] * 2
    with pytest.raises(NotStored):
        results.save(JOB, [[PNG]])


def test_an_output_that_the_bucket_does_not_take_is_refused_and_logged_as_an_error(
    server: FaultyStorage, caplog: pytest.LogCaptureFixture
) -> None:
    server.answers = [refusal(413, "The object exceeded the maximum allowed size")]
    with pytest.raises(Permanent):
        results.save(JOB, [[PNG]])
    (line,) = (record for record in caplog.records if record.message == "object.refused")
    assert (line.levelname, "maximum allowed size" in line.error) == ("ERROR", True)  # type: ignore[attr-defined]


def test_a_file_that_is_sent_again_is_sent_whole(server: FaultyStorage) -> None:
    server.answers = [refusal(500, "not now")]
    results.save(JOB, [[PNG]])
    sizes = [size for method, path, size in server.requests if path.endswith("/0.png")]
    assert sizes[0] == sizes[1] > len(PNG)


def test_nothing_is_stored_before_all_is_checked(server: FaultyStorage) -> None:
    def broken() -> Iterator[bytes]:
        yield PNG
        assert server.requests == []
        raise storage.NotStored("the connection was cut")

    with pytest.raises(NotStored):
        results.save(JOB, [[PNG], broken()])
    assert server.requests == []


def test_a_text_costs_no_request(server: FaultyStorage) -> None:
    assert results.save(JOB, ["A fox jumps."]) == [{"kind": "text", "text": "A fox jumps."}]
    assert storage.sign([]) == {}
    assert server.requests == []


def test_an_output_that_cannot_be_shown_is_left_out_if_another_is_fine(
    server: FaultyStorage, caplog: pytest.LogCaptureFixture
) -> None:
    saved = results.save(JOB, [[corpus.MODEL], [PNG]])
    assert [output["path"].rpartition("/")[2] for output in saved] == ["1.png"]
    (line,) = (record for record in caplog.records if record.message == "output.refused")
    assert (line.number, line.job_id) == (0, JOB.id)  # type: ignore[attr-defined]
    with pytest.raises(Unusable):
        results.save(JOB, [[corpus.MODEL], [corpus.PAGE]])


def test_a_disk_that_is_full_is_no_fault_of_the_file(
    server: FaultyStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(results, "spool", full)
    with pytest.raises(NotStored, match="No space left"):
        results.save(JOB, [[PNG]])


def test_reading_stops_at_the_limit(server: FaultyStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAX_OUTPUT_BYTES", "9")
    settings.load.cache_clear()
    chunks = iter([b"12345", b"67890", b"never read"])
    with pytest.raises(Unusable) as refused:
        results.save(JOB, [chunks])
    assert refused.value.cause == "more than 9 bytes"
    assert next(chunks) == b"never read"


@pytest.mark.parametrize(
    "url", ["http://project.supabase.co", "http://kong:8000", "http://127.0.0.1.example.com"]
)
def test_the_key_does_not_travel_unencrypted(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    monkeypatch.setenv("SUPABASE_URL", url)
    with pytest.raises(ValueError, match="use https"):
        settings.Settings()  # type: ignore[call-arg]
    monkeypatch.setenv("SUPABASE_URL", "http://localhost:54321/")
    assert settings.Settings().supabase_url == "http://localhost:54321"  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (401, b"{}"),
        (403, b"{}"),
        (400, b'{"statusCode":"403","error":"Unauthorized","message":"Invalid JWS"}'),
    ],
)
def test_a_refused_key_is_told_until_storage_takes_something(
    server: FaultyStorage, status: int, body: bytes
) -> None:
    server.answers += [(status, body, {})]
    with pytest.raises(NotStored):
        storage.remove("generations", ["a/0.png"])
    assert "Storage refuses SUPABASE_SECRET_KEY" in (storage.refusal() or "")
    server.answers += [(500, b"{}", {}), (400, b'{"statusCode":"404"}', {})]
    for _ in range(2):
        with pytest.raises(NotStored):
            storage.remove("generations", ["a/0.png"])
    assert storage.refusal() is not None, "another trouble says nothing of the key"
    server.answers += [(200, b"[]", {})]
    storage.remove("generations", ["a/0.png"])
    assert storage.refusal() is None
