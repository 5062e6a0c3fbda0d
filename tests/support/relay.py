"""A TCP relay in front of a server, to make what networks do: cut connections, and connections that
fall silent.

A silent connection stays open and gives no error: bytes vanish. New connections pass, unless it is
shut.
"""

import contextlib
import socket
import struct
import threading
from collections.abc import Callable

Change = Callable[[bytes], bytes]


class Relay:
    def __init__(
        self,
        target_port: int,
        *,
        from_client: Callable[[], Change] | None = None,
        from_server: Callable[[], Change] | None = None,
    ) -> None:
        self.target_port, self.from_client, self.from_server = target_port, from_client, from_server
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self.listener.getsockname()[1])
        self.generation = 0  # connections of an earlier one are silent
        self.sockets: list[socket.socket] = []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                self.pass_on(self.listener.accept()[0])

    def pass_on(self, client: socket.socket) -> None:
        """A connection that dies, or is cut, while it is made must not take the relay with it."""
        try:
            server = socket.create_connection(("127.0.0.1", self.target_port), timeout=5)
            server.settimeout(None)
            self.join(client, server)
        except OSError:
            client.close()

    def join(self, client: socket.socket, server: socket.socket) -> None:
        self.sockets = [one for one in self.sockets if one.fileno() != -1] + [client, server]
        there = self.from_client() if self.from_client else bytes
        back = self.from_server() if self.from_server else bytes
        for source, sink, changed in ((client, server, there), (server, client, back)):
            source.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(
                target=self.pump, args=(source, sink, changed, self.generation), daemon=True
            ).start()

    def pump(self, source: socket.socket, sink: socket.socket, changed: Change, generation: int) -> None:
        with contextlib.suppress(OSError):
            while content := source.recv(65536):
                if generation == self.generation:
                    sink.sendall(changed(content))
        for one in (source, sink):
            one.close() if one.fileno() == -1 else shut(one)

    def silence(self) -> None:
        """Every connection of now goes half-open."""
        self.generation += 1

    def cut(self) -> None:
        """Every connection of now is reset."""
        for one in self.sockets:
            with contextlib.suppress(OSError):
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            shut(one)
        self.sockets = []

    def close(self) -> None:
        shut(self.listener)
        self.cut()


def shut(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()


class LosesReply:
    """A relay to Postgres that passes the first statement with `text`, and swallows what Postgres
    answers.
    """

    def __init__(self, postgres_port: int, text: bytes, fault: Callable[[Relay], None]) -> None:
        self.text, self.fault = text, fault
        self.asked = 0
        self.is_lost = False
        self.relay = Relay(postgres_port, from_client=lambda: self.count, from_server=self.loses)

    def count(self, content: bytes) -> bytes:
        self.asked += self.text in content
        return content

    def loses(self) -> Change:
        def lose(content: bytes) -> bytes:
            if self.is_lost or not self.asked:
                return content
            self.is_lost = True  # Postgres answers a statement in autocommit when it is committed
            self.fault(self.relay)
            return b""

        return lose
