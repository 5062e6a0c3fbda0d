"""The relay itself must outlive what it does to others, or every fault after it would look like a
broken promise.
"""

import socket
from collections.abc import Iterator

import pytest

from tests.support.relay import Relay


@pytest.fixture
def server() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(10)
        yield server


def test_a_connection_that_is_cut_while_it_is_made_costs_no_other(
    server: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    relay = Relay(server.getsockname()[1])
    join = relay.join

    def cut_and_join(client: socket.socket, to_server: socket.socket) -> None:
        monkeypatch.undo()
        client.close()
        to_server.close()
        join(client, to_server)

    monkeypatch.setattr(relay, "join", cut_and_join)
    with socket.create_connection(("127.0.0.1", relay.port), timeout=10) as unlucky:
        assert unlucky.recv(1) == b""
        server.accept()[0].close()
    with socket.create_connection(("127.0.0.1", relay.port), timeout=10) as lucky:
        lucky.sendall(b"x")
        with server.accept()[0] as reached:
            assert reached.recv(1) == b"x"
    relay.close()
