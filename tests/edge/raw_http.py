"""Requests that no HTTP client would send, byte for byte."""

import socket
from contextlib import suppress


def answers(address: tuple[str, int], request: bytes) -> list[tuple[int, bytes]]:
    """Status and body of each answer to these bytes; none if the connection was closed at once."""
    received = bytearray()
    with socket.create_connection(address, timeout=30) as connection, suppress(ConnectionError):
        connection.sendall(request)
        with suppress(OSError):  # the function has closed it already
            # Otherwise the function would wait for more bytes after a longer announced length.
            connection.shutdown(socket.SHUT_WR)
        while chunk := connection.recv(65536):
            received += chunk
    return [split(each) for each in bytes(received).split(b"HTTP/1.1 ")[1:]]


def split(answer: bytes) -> tuple[int, bytes]:
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[0]), body
