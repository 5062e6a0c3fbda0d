"""Read the facts of a file from its bytes.

This is also a separate program, so that a hostile file cannot harm a worker: `python -I probe.py`
prints the facts of its standard input as JSON. It imports no other module of ours. `tasks.media`
starts it without environment variables and with limits on time and memory. The worker itself reads
small pictures of common formats.
"""

import base64
import io
import json
import resource
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import blurhash
from PIL import Image, PngImagePlugin, UnidentifiedImageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

# MPO is Pillow's name for a JPEG with more than one picture. Phones make such files.
PICTURES = {"PNG": "png", "JPEG": "jpg", "MPO": "jpg", "WEBP": "webp", "GIF": "gif", "AVIF": "avif"}
# PNG and WebP are decoded whole, at 4 bytes a pixel. An upscale to 8192 x 8192 has 67 million.
MAX_PIXELS = 80_000_000
MAX_FRAME_PIXELS = 34_000_000  # of a video frame: 7680 x 4320
THUMB = 512  # pixels of the longer side, at most
THUMB_QUALITY = 80
PngImagePlugin.MAX_TEXT_CHUNK = 1 << 23  # bytes; some tools write their whole workflow into a PNG
TURNED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
ROTATED = {90: Image.Transpose.ROTATE_90, 180: Image.Transpose.ROTATE_180, 270: Image.Transpose.ROTATE_270}
SWAPS_SIDES = (
    Image.Transpose.TRANSPOSE,
    Image.Transpose.ROTATE_270,
    Image.Transpose.TRANSVERSE,
    Image.Transpose.ROTATE_90,
)

CPU_SECONDS = 20
MEMORY = 3 << 29  # bytes of address space; a WebP of MAX_PIXELS takes 1.3 GB
PACKETS_BEFORE_A_FRAME = 200
MISSING_SECONDS = 0.5  # seconds by which a recording may be shorter than its header states


class Unreadable(Exception):
    """The file cannot be read. The text is the reason, for the log."""


def probe(file: BinaryIO) -> dict[str, Any]:
    """Return the facts of a picture, a video or a sound; `extension` tells which.

    Raises:
        Unreadable: The file is none of these, or is broken.
    """
    head = file.read(64)
    file.seek(0)
    demuxer = demuxer_of(head)
    return picture(file) if demuxer is None else recording(file, demuxer, head)


def demuxer_of(head: bytes) -> str | None:
    """Return the one format that FFmpeg may try; None for a file that only Pillow may read."""
    if head[4:8] == b"ftyp" and head[8:12] not in (b"avif", b"avis"):
        return "mov"
    if head[4:8] in (b"moov", b"mdat", b"wide"):  # an old QuickTime file without `ftyp`
        return "mov"
    if head.startswith(b"\x1aE\xdf\xa3") and b"webm" in head:
        return "matroska"
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
        return "wav"
    if head.startswith(b"ID3") or (head[:1] == b"\xff" and len(head) > 1 and head[1] & 0xE6 == 0xE2):
        return "mp3"
    return {b"OggS": "ogg", b"fLaC": "flac"}.get(head[:4])


# Pictures


def picture(file: BinaryIO) -> dict[str, Any]:
    """Return the facts of a picture. It is decoded whole, so that a truncated file fails here."""
    with opened(file) as image:
        width, height = image.size
        if width * height > MAX_PIXELS:
            raise Unreadable(f"{width} x {height} pixels are too many")
        extension = PICTURES[str(image.format)]
        try:
            small = shrunk(image)
        except MemoryError as error:
            raise Unreadable("it takes too much memory") from error
        except Exception as error:  # each decoder has its own errors for a broken file
            raise Unreadable(f"a broken or truncated {image.format}: {error}"[:200]) from error
        turn = TURNED.get(orientation_of(image))
    return {"extension": extension} | seen(small, (width, height), turn)


@contextmanager
def opened(file: BinaryIO) -> "Iterator[Image.Image]":
    try:
        image = Image.open(file, formats=[name for name in PICTURES if name != "MPO"])
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Unreadable("too many pixels") from error
    except UnidentifiedImageError as error:
        raise Unreadable("neither picture nor video nor sound") from error
    except Exception as error:
        raise Unreadable(f"a broken picture: {error}"[:200]) from error
    with image:
        yield image


def shrunk(image: Image.Image) -> Image.Image:
    """Return a small copy, without a full-size copy, which would take the same memory again."""
    image.draft(None, (2 * THUMB, 2 * THUMB))  # this makes a JPEG decode to a smaller size
    if image.mode in ("RGB", "L", "CMYK"):
        image.thumbnail((THUMB, THUMB))
    else:  # averaging with alpha needs a full copy, and a palette cannot be averaged
        image.thumbnail((4 * THUMB, 4 * THUMB), Image.Resampling.NEAREST)
    image.load()
    if image.mode.startswith("I"):  # 16 bits a pixel, from depth models for example
        image = image.convert("I").point(lambda value: value / 256).convert("L")
    small = image.convert("RGBA" if image.has_transparency_data else "RGB")
    small.thumbnail((THUMB, THUMB))
    return small


def orientation_of(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(0x0112, 1))
    except Exception:  # accept a picture with invalid EXIF data, as phones do
        return 1


def seen(small: Image.Image, size: tuple[int, int], turn: Image.Transpose | None) -> dict[str, Any]:
    """Return size, blurhash and thumbnail of a picture after the rotation or flip `turn`."""
    width, height = reversed(size) if turn in SWAPS_SIDES else size
    if turn is not None:
        small = small.transpose(turn)
    thumb = io.BytesIO()
    small.save(thumb, "WEBP", quality=THUMB_QUALITY, method=2, icc_profile=b"")
    return {
        "width": width,
        "height": height,
        "blurhash": blurred(small),
        "thumb": base64.b64encode(thumb.getvalue()).decode(),
    }


def blurred(image: Image.Image) -> str:
    # Four components a side need no more pixels. blurhash is written in Python and takes time for
    # each pixel: 16 a side take a third of the time of 32.
    small = image.convert("RGB").resize((16, 16))
    pixels = [[small.getpixel((x, y)) for x in range(16)] for y in range(16)]
    return str(blurhash.encode(pixels, 4, 4))


# Video and sound


class Raw:
    """A file without a name. With a name, FFmpeg could open other files beside it."""

    def __init__(self, file: BinaryIO) -> None:
        self.read, self.seek, self.tell = file.read, file.seek, file.tell


def recording(file: BinaryIO, demuxer: str, head: bytes) -> dict[str, Any]:
    try:
        import av
    except ImportError as error:
        raise Unreadable("video and sound need the extra `media` on this worker") from error
    options = {"format_whitelist": WHITELIST[demuxer], "protocol_whitelist": "", "max_streams": "16"}
    asked: Any = {"format": demuxer, "container_options": options, "metadata_errors": "ignore"}
    try:
        with av.open(Raw(file), "r", **asked) as container:
            return described(container, demuxer, head)
    except Unreadable:
        raise
    except Exception as error:  # a truncated file raises errors of FFmpeg, but also AttributeError
        raise Unreadable(f"a broken or truncated {demuxer}: {type(error).__name__}") from error


# The names of each demuxer as FFmpeg compares them.
WHITELIST = {
    "mov": "mov,mp4,m4a,3gp,3g2,mj2",
    "matroska": "matroska,webm",
    "wav": "wav",
    "mp3": "mp3",
    "ogg": "ogg",
    "flac": "flac",
}


def described(container: "InputContainer", demuxer: str, head: bytes) -> dict[str, Any]:
    from av.stream import Disposition

    video = next(
        (each for each in container.streams.video if not each.disposition & Disposition.attached_pic), None
    )
    extension = extension_of(demuxer, head, has_video=video is not None)
    if video is None:
        facts = heard(container)
    else:
        width, height = video.codec_context.width, video.codec_context.height
        if not 0 < width * height <= MAX_FRAME_PIXELS:
            raise Unreadable(f"frames of {width} x {height} pixels")
        frame = first_frame(container, video)
        turn = ROTATED.get(round(frame.rotation) % 360)
        image = frame.to_image()  # type: ignore[no-untyped-call]
        facts = seen(shrunk(image), (width, height), turn)
    return {"extension": extension, "duration": length(container, demuxer)} | facts


def extension_of(demuxer: str, head: bytes, *, has_video: bool) -> str:
    if demuxer == "mov":
        is_quicktime = head[4:8] != b"ftyp" or head[8:12] == b"qt  "
        return ("mov" if is_quicktime else "mp4") if has_video else "m4a"
    if demuxer == "matroska":
        return "webm" if has_video else "weba"
    if has_video:
        raise Unreadable(f"video in {demuxer}")
    return demuxer


def first_frame(container: "InputContainer", video: "VideoStream") -> "VideoFrame":
    """Return the first frame, decoded by our own decoder.

    Options of a container do not reach its decoders.
    """
    from av import CodecContext
    from av.video.codeccontext import VideoCodecContext

    decoder = CodecContext.create(video.codec_context.name, "r")
    assert isinstance(decoder, VideoCodecContext)  # noqa: S101
    decoder.extradata = video.codec_context.extradata
    decoder.thread_count = 1
    decoder.options = {"max_pixels": str(MAX_FRAME_PIXELS)}
    for number, packet in enumerate(container.demux(video)):
        for frame in decoder.decode(packet):
            return frame
        if number == PACKETS_BEFORE_A_FRAME:
            break
    raise Unreadable("a video without a picture")


def heard(container: "InputContainer") -> dict[str, Any]:
    """Check that the beginning of a sound can be decoded. Returns no further facts."""
    if not container.streams.audio:
        raise Unreadable("neither picture nor sound in it")
    sound = container.streams.audio[0]
    sound.codec_context.thread_count = 1
    if next(iter(container.decode(sound)), None) is None:
        raise Unreadable("a sound without a tone")
    return {}


def length(container: "InputContainer", demuxer: str) -> float:
    """Return the duration in seconds, computed from the packets.

    A file that was written to a pipe states no duration. A truncated file states one that is too
    long.
    """
    container.seek(0)
    end = 0.0
    for packet in container.demux():
        if packet.pts is not None and packet.time_base:
            end = max(end, float((packet.pts + (packet.duration or 0)) * packet.time_base))
    said = (container.duration or 0) / 1_000_000
    if demuxer in ("mov", "matroska", "flac") and end < said - MISSING_SECONDS:
        raise Unreadable(f"truncated after {end:.1f} of {said:.1f} s")
    return round(end, 3)


def limit() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(OSError, ValueError):  # macOS has no such memory limit
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    with suppress(OSError):  # Linux only: without memory, the kernel kills this, not the worker
        Path("/proc/self/oom_score_adj").write_text("1000")


def main() -> None:
    limit()
    try:
        with open(0, "rb", closefd=False) as file:
            answer = probe(file)
    except (Unreadable, MemoryError) as error:
        answer = {"unreadable": str(error) or "it takes too much memory"}
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    main()
