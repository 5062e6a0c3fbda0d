"""Files over real HTTP, from servers that mean no good."""

import itertools
import time
from collections.abc import Iterator

import pytest

from tasks.providers import download
from tasks.providers.download import File
from tasks.providers.protocol import Unanswered, Unusable
from tests.media import corpus
from tests.replicate.behaviour import ErrorResponse, Reply
from tests.replicate.server import MisbehavingReplicate

PNG = corpus.picture("PNG")


@pytest.fixture
def files(replicate: MisbehavingReplicate) -> Iterator[MisbehavingReplicate]:
    replicate.files = {"0.png": Reply(PNG, "image/png")}
    download.client.cache_clear()
    yield replicate
    download.client().close()
    download.client.cache_clear()


def read(files: MisbehavingReplicate, name: str = "0.png") -> bytes:
    return b"".join(File(f"{files.url}/files/p1/{name}", {}))


def test_a_file_is_what_was_sent(files: MisbehavingReplicate) -> None:
    file = File(f"{files.url}/files/p1/0.png", {"shape": "URL"})
    assert b"".join(file) == PNG
    assert file.facts == {"shape": "URL", "host": "127.0.0.1", "content_type": "image/png"}


def test_no_key_is_sent_and_no_compression_is_asked_for(files: MisbehavingReplicate) -> None:
    sent = download.client().build_request("GET", files.url).headers
    assert (sent["accept-encoding"], "authorization" in sent, "cookie" in sent) == ("identity", False, False)


@pytest.mark.parametrize("encoding", ["gzip", "gzip, gzip", "br", "unknown"])
def test_a_compressed_body_is_refused_before_a_byte_of_it_is_read(
    files: MisbehavingReplicate, encoding: str
) -> None:
    files.files["zip"] = Reply(b"never read", "image/png", (("Content-Encoding", encoding),))
    with pytest.raises(Unusable) as refused:
        read(files, "zip")
    assert refused.value.cause == f"content encoding {encoding}"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(files: MisbehavingReplicate, status: int) -> None:
    files.faults["file"].append(ErrorResponse(status, headers=(("Location", f"{files.url}/files/p1/0.png"),)))
    with pytest.raises(Unusable) as refused:
        read(files)
    assert str(status) in refused.value.cause
    assert files.requests == ["file"]


@pytest.mark.parametrize(
    ("status", "code"),
    [(403, "provider_unavailable"), (404, "provider_unavailable"), (410, "provider_unavailable")],
)
def test_a_deleted_file_is_gone_permanently(files: MisbehavingReplicate, status: int, code: str) -> None:
    files.faults["file"].append(ErrorResponse(status))
    with pytest.raises(Unusable) as refused:
        read(files)
    assert refused.value.code == code


@pytest.mark.parametrize(
    "fault", [ErrorResponse(429), ErrorResponse(500), ErrorResponse(503), ErrorResponse(204)]
)
def test_a_server_in_trouble_is_asked_again(files: MisbehavingReplicate, fault: ErrorResponse) -> None:
    files.faults["file"].append(fault)
    with pytest.raises(Unanswered):
        read(files)


def test_half_a_file_is_asked_for_again(files: MisbehavingReplicate) -> None:
    with pytest.raises(Unanswered):
        read(files, "cut")


def test_a_file_without_an_end_is_left_in_time(
    files: MisbehavingReplicate, monkeypatch: pytest.MonkeyPatch
) -> None:
    files.files["slow"] = Reply(bytes(1000), is_endless=True)
    ticks = itertools.count(time.monotonic(), download.DOWNLOAD_WITHIN / 10)
    monkeypatch.setattr(download, "time", type("Clock", (), {"monotonic": lambda: next(ticks)}))
    with pytest.raises(Unanswered, match="does not end"):
        read(files, "slow")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("data:image/png;base64,QUJD", b"ABC"),
        ("data:;base64,QUJD", b"ABC"),
        ("data:application/octet-stream;base64,QUJD", b"ABC"),
        ("DATA:image/svg+xml;charset=utf-8;base64,QUJD", b"ABC"),
        ("data:text/plain,A%42C", b"ABC"),
        ("data:image/png;base64," + "QUJD" * 1_000_000, b"ABC" * 1_000_000),
    ],
)
def test_a_data_uri_holds_its_file(url: str, expected: bytes) -> None:
    assert b"".join(File(url, {})) == expected


@pytest.mark.parametrize("content", ["é", "QUJ", "QU JD", "\ud800", "QUJD QUJD"])
def test_malformed_base64_is_refused(content: str) -> None:
    with pytest.raises(Unusable):
        list(File(f"data:image/png;base64,{content}", {}))
