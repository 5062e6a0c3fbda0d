"""Requests that no HTTP client would send, byte for byte."""

import socket
from contextlib import suppress


def answers(address: tuple[str, int], request: bytes) -> list[tuple[int, bytes]]:
    """Status and body of each answer to these bytes; none if they were hung up on."""
    received = bytearray()
    with socket.create_connection(address, timeout=30) as connection, suppress(ConnectionError):
        connection.sendall(request)
        with suppress(OSError):  # it is closed already
            connection.shutdown(socket.SHUT_WR)  # or a longer length would make the function wait for more
        while chunk := connection.recv(65536):
            received += chunk
    return [split(each) for each in bytes(received).split(b"HTTP/1.1 ")[1:]]


def split(answer: bytes) -> tuple[int, bytes]:
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[0]), body
