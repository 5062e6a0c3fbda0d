"""Files as models, phones and attackers make them, made by code."""

import io
import struct
import zlib
from functools import cache
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import av
from PIL import Image


def painted(size: tuple[int, int] = (64, 48), mode: str = "RGB") -> Image.Image:
    """Red above, blue below: what is turned can be seen."""
    image = Image.new("RGB", size, (220, 40, 30))
    image.paste((30, 40, 220), (0, size[1] // 2, size[0], size[1]))
    return image.convert(mode)


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def picture(kind: str, size: tuple[int, int] = (64, 48), mode: str = "RGB", **options: Any) -> bytes:
    return encoded(painted(size, mode), kind, **options)


def turned_photo() -> bytes:
    """Stored 64 x 48, and to be shown 48 x 64."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return picture("JPEG", exif=exif.tobytes())


def phone_photo() -> bytes:
    """Two pictures in one JPEG: a phone uses the second for HDR."""
    return encoded(painted(), "MPO", save_all=True, append_images=[painted((32, 24))])


def animated(kind: str) -> bytes:
    return encoded(painted(), kind, save_all=True, append_images=[painted().rotate(180)], duration=100)


def pixel_bomb(width: int = 60_000, height: int = 60_000) -> bytes:
    """A few kilobytes that would be gigabytes of pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(1_000_000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


@cache
def video(container: str = "mp4", codec: str = "libx264", frames: int = 30, **options: str) -> bytes:
    """Three seconds."""
    with NamedTemporaryFile() as file:  # some options need a name to open it again
        with av.open(file.name, "w", format=container, options=options) as made:
            stream = made.add_stream(codec, rate=10)
            assert isinstance(stream, av.VideoStream)
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
            for number in range(frames):
                image = painted()
                image.putpixel((number % 64, 0), (255, 255, 255))
                frame = av.VideoFrame.from_image(image)  # type: ignore[no-untyped-call]
                made.mux(stream.encode(frame))
            made.mux(stream.encode())
        return Path(file.name).read_bytes()


@cache
def sound(container: str, codec: str) -> bytes:
    """One second, of 50 frames."""
    file = io.BytesIO()
    with av.open(file, "w", format=container) as made:
        stream = made.add_stream(codec, rate=48_000)
        assert isinstance(stream, av.AudioStream)
        stream.layout = "mono"
        for number in range(50):
            frame = av.AudioFrame("s16", "mono", 960)
            frame.planes[0].update(struct.pack("<960h", *(8000 * (i // 50 % 2) for i in range(960))))
            frame.sample_rate, frame.pts = 48_000, number * 960
            made.mux(stream.encode(frame))
        made.mux(stream.encode())
    return file.getvalue()


MODEL = b"glTF" + struct.pack("<II", 2, 20) + bytes(8)
PAGE = b"<!doctype html><title>Sign in</title>"
PLAYLISTS = {
    "ffconcat": b"ffconcat version 1.0\nfile /etc/hostname\n",
    "m3u8": b"#EXTM3U\n#EXTINF:1,\n/etc/hostname\n",
    "sdp": b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n",
}
