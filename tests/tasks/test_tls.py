"""Redis behind TLS with its own CA, and with a login that has the rights of docs/operations.md."""

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import redis

import broker
from tests.support.jobs import Jobs
from tests.support.processes import ROOT
from tests.support.servers import Redis
from tests.support.tls import TlsRelay, certificates
from tests.support.waiting import wait_until
from tests.tasks.conftest import StartWorker

OPERATIONS = (ROOT / "docs" / "operations.md").read_text()
# The command of the document, with a password in place of the dots.
LEAST_RIGHTS = re.findall(r"^    ACL (SETUSER pilotlight .*)$", OPERATIONS, re.MULTILINE)[0].replace(
    "…", "of-the-tests"
)

# `client setinfo`, which this old Redis does not have: redis-py tries it and goes on
NEWER = ("client",)


@pytest.fixture
def encrypted(own_broker: Redis, tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """The URL of a Redis with TLS, as its user with least rights, and the file of its CA."""
    with own_broker.client as client:
        client.execute_command("ACL", *LEAST_RIGHTS.split())
        client.execute_command("ACL", "SETUSER", "default", "resetpass", ">another")
    ca_file, context = certificates(tmp_path)
    relay = TlsRelay(own_broker.port, context)
    yield f"rediss://pilotlight:of-the-tests@127.0.0.1:{relay.port}/0", ca_file
    relay.close()


def test_jobs_run_over_tls_with_a_login_of_least_rights(
    encrypted: tuple[str, Path],
    start_bridge: StartWorker,
    start_worker: StartWorker,
    faulty: Jobs,
    own_broker: Redis,
) -> None:
    """Both clients of Redis in both processes: the second job was the one that did not arrive."""
    url, ca_file = encrypted
    own = {"REDIS_URL": f"{url}?ssl_cert_reqs=required&socket_timeout=90", "REDIS_CA_FILE": str(ca_file)}
    start_bridge(**own)
    worker = start_worker(**own)
    for do in ("paint", "fail at first", "start"):
        job_id = faulty.enqueue("faulty", do=do)
        wait_until(lambda job_id=job_id: faulty.status(job_id) == "succeeded", "the job", 40)  # type: ignore[misc]
    batch = [faulty.enqueue("faulty") for _ in range(3)]
    wait_until(lambda: all(faulty.status(job_id) == "succeeded" for job_id in batch), "the batch", 40)
    assert worker.terminate(timeout=20) == 0
    assert "NOPERM" not in worker.output
    with redis.Redis(port=own_broker.port, password="another") as client:
        denied = [entry for entry in client.acl_log() if entry["object"] not in NEWER]
    assert denied == []


def test_a_server_that_cannot_be_verified_is_refused_in_words(encrypted: tuple[str, Path]) -> None:
    url, ca_file = encrypted
    assert broker.check(broker.parse(url, ca_file)) == []
    with pytest.raises(broker.BrokerRefused, match="REDIS_CA_FILE"):
        broker.check(broker.parse(url))
    with pytest.raises(broker.BrokerRefused, match="login"):
        broker.check(broker.parse(url.replace("of-the-tests", "wrong"), ca_file))
    assert broker.check(broker.parse(f"{url}?ssl_cert_reqs=CERT_NONE")) == []
    with pytest.raises(broker.BrokerRefused, match="write rediss://"):
        broker.check(broker.parse(url.replace("rediss:", "redis:")))


def test_a_server_without_tls_or_that_is_no_redis_is_named(own_broker: Redis) -> None:
    """Redis reads the beginning of TLS as a command without an end, and is silent."""
    with pytest.raises(broker.BrokerRefused, match="speaks no TLS on this port"):
        broker.check(broker.parse(own_broker.url.replace("redis:", "rediss:")))
    with socket.create_server(("127.0.0.1", 0)) as server:
        other = threading.Thread(target=answer_all, args=(server, b"SSH-2.0-x\r\n"))
        other.start()
        with pytest.raises(broker.BrokerRefused, match="no Redis"):
            broker.check(broker.parse(f"redis://127.0.0.1:{server.getsockname()[1]}"))
        server.shutdown(socket.SHUT_RDWR)
        other.join(10)


def answer_all(server: socket.socket, text: bytes) -> None:
    with suppress(OSError):
        while True:
            with server.accept()[0] as connection:
                connection.recv(1000)
                connection.sendall(text)


def test_a_redis_with_wrong_settings_is_reported(own_broker: Redis) -> None:
    found = broker.parse(own_broker.url)
    assert broker.check(found) == []
    with own_broker.client as client:
        client.config_set("maxmemory-policy", "allkeys-lru")
    (warning,) = broker.check(found)
    assert "allkeys-lru" in warning
    with pytest.raises(broker.BrokerRefused, match="no database"):
        broker.check(broker.parse(own_broker.url.replace("/0", "/99")))
