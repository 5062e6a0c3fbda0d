"""A server behind TLS with a certificate of a private CA: the Redis of the tests is built without
it.
"""

import asyncio
import datetime
import ipaddress
import ssl
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from operate.check_certificates import SSL_REQUEST

Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def certificates(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """The file of a new CA, and a certificate of this CA for a server on 127.0.0.1."""
    ca_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    ca_name, name = (x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)]) for text in ("A CA", "Redis"))
    ca = issued(ca_name, ca_key, ca_name, ca_key, x509.BasicConstraints(ca=True, path_length=None))
    here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    server = issued(name, key, ca_name, ca_key, here)
    pem = serialization.Encoding.PEM
    ca_file, server_file = folder / "ca.pem", folder / "server.pem"
    ca_file.write_bytes(ca.public_bytes(pem))
    plain = serialization.NoEncryption()
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)
    server_file.write_bytes(private + server.public_bytes(pem))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(server_file)
    return ca_file, context


def issued(
    name: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    by: x509.Name,
    signer: ec.EllipticCurvePrivateKey,
    extension: x509.ExtensionType,
) -> x509.Certificate:
    now, day = datetime.datetime.now(datetime.UTC), datetime.timedelta(days=1)
    builder = x509.CertificateBuilder(
        by, name, key.public_key(), x509.random_serial_number(), now - day, now + day
    )
    return builder.add_extension(extension, critical=isinstance(extension, x509.BasicConstraints)).sign(
        signer, hashes.SHA256()
    )


class TlsRelay:
    def __init__(self, target_port: int, context: ssl.SSLContext) -> None:
        self.target_port, self.context = target_port, context
        self.port = 0
        self.is_listening = threading.Event()
        self.thread = threading.Thread(target=lambda: asyncio.run(self.serve()), daemon=True)
        self.thread.start()
        assert self.is_listening.wait(10)

    async def serve(self) -> None:
        self.loop, self.stopped = asyncio.get_running_loop(), asyncio.Event()
        await self.listen(self.join, ssl=self.context)

    async def listen(self, answer: Answer, ssl: ssl.SSLContext | None = None) -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=ssl)
        self.port = server.sockets[0].getsockname()[1]
        self.is_listening.set()
        await self.stopped.wait()
        server.close()

    async def join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.CancelledError):
            from_server, to_server = await asyncio.open_connection("127.0.0.1", self.target_port)
            await asyncio.gather(pump(reader, to_server), pump(from_server, writer))

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self.stopped.set)
        self.thread.join(10)


class PostgresTlsRelay(TlsRelay):
    """TLS begins when the client requests it, by the protocol of Postgres."""

    async def serve(self) -> None:
        self.loop, self.stopped = asyncio.get_running_loop(), asyncio.Event()
        await self.listen(self.begin)

    async def begin(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            if await reader.readexactly(8) == SSL_REQUEST:
                writer.write(b"S")
                await writer.start_tls(self.context)
                return await self.join(reader, writer)
        writer.close()


async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while content := await source.read(65536):
            sink.write(content)
            await sink.drain()
    sink.close()
    with suppress(OSError):
        await sink.wait_closed()
