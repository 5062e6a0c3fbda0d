"""The kind of a file is read from its bytes."""

import io
import tempfile
from typing import Any

import pytest
from PIL import Image, PngImagePlugin

from tasks import media, probe
from tasks.media import Media
from tasks.providers.protocol import Unusable
from tests.media import corpus

pytestmark = pytest.mark.quick  # the reader of video and sound, a tenth of a second each


def look(content: bytes) -> Media:
    with tempfile.TemporaryFile(buffering=0) as file:
        file.write(content)
        return media.look(file)


PICTURES = {
    "png": corpus.picture("PNG"),
    "palette": corpus.picture("PNG", mode="P"),
    "bits": corpus.picture("PNG", mode="1"),
    "grey": corpus.picture("PNG", mode="L"),
    "transparent": corpus.picture("PNG", mode="RGBA"),
    "depth map": corpus.picture("PNG", mode="I;16"),
    "animated png": corpus.animated("PNG"),
    "jpg": corpus.picture("JPEG"),
    "print jpg": corpus.picture("JPEG", mode="CMYK"),
    "phone jpg": corpus.phone_photo(),
    "webp": corpus.picture("WEBP"),
    "animated webp": corpus.animated("WEBP"),
    "gif": corpus.picture("GIF"),
    "animated gif": corpus.animated("GIF"),
    "avif": corpus.picture("AVIF"),
}
VIDEOS = {
    "mp4": corpus.video(),
    "streamed mp4": corpus.video(movflags="+faststart"),
    "fragments mp4": corpus.video(movflags="frag_keyframe+empty_moov"),
    "mov": corpus.video("mov"),
    "webm": corpus.video("webm", "libvpx-vp9"),
}
SOUNDS = {
    "mp3": corpus.sound("mp3", "libmp3lame"),
    "wav": corpus.sound("wav", "pcm_s16le"),
    "m4a": corpus.sound("mp4", "aac"),
    "ogg": corpus.sound("ogg", "libopus"),
    "flac": corpus.sound("flac", "flac"),
    "weba": corpus.sound("webm", "libopus"),
}


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_has_its_size_and_a_thumb(name: str) -> None:
    seen = look(PICTURES[name])
    extension = {"palette": "png", "bits": "png", "grey": "png", "transparent": "png", "depth map": "png"}
    assert (seen.kind, seen.extension) == ("image", extension.get(name, name.split()[-1]))
    assert (seen.width, seen.height, seen.duration) == (64, 48, None)
    assert seen.blurhash and seen.thumb
    thumb = look(seen.thumb)
    assert (thumb.extension, thumb.width, thumb.height) == ("webp", 64, 48)


@pytest.mark.parametrize("name", VIDEOS)
def test_a_video_has_its_length_and_a_thumb_of_its_beginning(name: str) -> None:
    seen = look(VIDEOS[name])
    assert (seen.kind, seen.extension) == ("video", name.split()[-1])
    assert (seen.width, seen.height) == (64, 48)
    assert seen.duration == pytest.approx(3, abs=0.3)
    assert seen.thumb and look(seen.thumb).width == 64


@pytest.mark.parametrize("name", SOUNDS)
def test_a_sound_has_its_length(name: str) -> None:
    seen = look(SOUNDS[name])
    assert (seen.kind, seen.extension) == ("audio", name)
    assert (seen.width, seen.height, seen.blurhash, seen.thumb) == (None, None, None, None)
    assert seen.duration == pytest.approx(1, abs=0.1)


HALVES = (0, 0, 24, 64), (24, 0, 48, 64)


def test_a_photo_is_seen_as_it_was_held() -> None:
    seen = look(corpus.turned_photo())
    assert (seen.width, seen.height) == (48, 64)
    assert seen.thumb
    thumb = look(seen.thumb)
    assert (thumb.width, thumb.height) == (48, 64)
    with Image.open(io.BytesIO(seen.thumb)) as image:  # its red upper half is on the right now
        left, right = (image.convert("RGB").crop(box).resize((1, 1)).tobytes() for box in HALVES)
    assert (left[2] > left[0], right[0] > right[2]) == (True, True)


def test_a_thumb_has_512_pixels_at_most() -> None:
    seen = look(corpus.picture("JPEG", (2000, 1000)))
    assert (seen.width, seen.height) == (2000, 1000)
    assert seen.thumb
    assert (look(seen.thumb).width, look(seen.thumb).height) == (512, 256)


FAST: dict[str, Any] = {"compress_level": 1, "quality": 1, "method": 0}


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_an_upscale_of_67_megapixels_is_a_picture(kind: str) -> None:
    seen = look(corpus.picture(kind, (8192, 8192), **FAST))
    assert (seen.width, seen.height) == (8192, 8192)


def cut(content: bytes) -> bytes:
    return content[: len(content) * 6 // 10]


BROKEN = {
    "nothing": b"",
    "a page": corpus.PAGE,
    "a 3D model": corpus.MODEL,
    "a pixel bomb": corpus.pixel_bomb(),
    "pixels that do not come": corpus.pixel_bomb(8000, 8000),
    "a video of a kind we do not store": corpus.video("matroska"),
    "a video in an old box": corpus.video("avi", "mpeg4"),
    **corpus.PLAYLISTS,
    **{f"half a {name}": cut(PICTURES[name]) for name in ("png", "jpg", "webp", "gif", "avif")},
    **{f"half a {name}": cut(VIDEOS[name]) for name in VIDEOS},
    **{f"half a {name}": cut(SOUNDS[name]) for name in ("m4a", "flac", "ogg")},
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_file_that_cannot_be_shown_is_refused(name: str) -> None:
    with pytest.raises(Unusable) as refused:
        look(BROKEN[name])
    assert refused.value.cause


@pytest.mark.parametrize("name", corpus.PLAYLISTS)
@pytest.mark.parametrize("demuxer", probe.WHITELIST)
def test_ffmpeg_opens_no_file_that_another_names(name: str, demuxer: str) -> None:
    """Nor would it, if the bytes at the beginning were those of a video."""
    with tempfile.TemporaryFile() as file, pytest.raises(probe.Unreadable):
        file.write(corpus.PLAYLISTS[name])
        file.seek(0)
        probe.recording(file, demuxer, b"")


@pytest.mark.parametrize(
    ("program", "cause"),
    [
        ("import os; os.abort()", "its reader ended with -6"),
        ("while True: pass", "its reader ended with -9"),
        ("x = bytes(1 << 31)", "it takes too much memory"),
    ],
    ids=["crashes", "computes without end", "takes all memory"],
)
def test_a_file_that_harms_its_reader_costs_one_job(
    program: str, cause: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    harmed = f"import sys; sys.path.insert(0, {str(probe.__file__)!r}[:-9]); import probe\n"
    harmed += f"def harm(file):\n    {program}\nprobe.probe = harm; probe.CPU_SECONDS = 1; probe.main()"
    monkeypatch.setattr(media, "COMMAND", [*media.COMMAND[:-1], "-c", harmed])
    with pytest.raises(Unusable, match="nothing that we can show") as refused:
        look(corpus.video())
    assert refused.value.cause == cause


@pytest.mark.parametrize("program", ["os.kill(os.getpid(), 15)", "sys.exit('no such library')"])
def test_a_reader_that_others_end_says_nothing_of_the_file(
    program: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(media, "COMMAND", [*media.COMMAND[:-1], "-c", f"import os, sys; {program}"])
    with pytest.raises(OSError, match=r"-15|no such library"):
        look(corpus.video())


@pytest.mark.parametrize("name", ["wav", "mp3", "m4a", "weba"])
def test_a_title_in_any_encoding_is_no_reason_to_refuse_a_sound(name: str) -> None:
    content = SOUNDS[name].replace(b"Lavf", b"\xe9\xff\xfe\x80")
    assert content != SOUNDS[name]
    assert look(content).extension == name


def test_a_picture_may_carry_much_text() -> None:
    info = PngImagePlugin.PngInfo()
    info.add_itxt("workflow", "fox " * 1_000_000, zip=True)
    assert look(corpus.picture("PNG", pnginfo=info)).width == 64


def test_a_reader_that_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media, "COMMAND", [*media.COMMAND[:-1], "-c", "import time; time.sleep(600)"])
    monkeypatch.setattr(media, "CHILD_SECONDS", 0.2)
    with pytest.raises(Unusable):
        look(corpus.video())


def test_without_the_extra_a_worker_reads_no_video(monkeypatch: pytest.MonkeyPatch) -> None:
    assert all(media.can_read(kind) for kind in ("image", "text", "video", "audio"))
    media.can_read.cache_clear()
    monkeypatch.setattr(media, "find_spec", lambda name: None)
    assert [media.can_read(kind) for kind in ("image", "text", "video", "audio", "smell")] == [
        True, True, False, False, False,
    ]  # fmt: skip
    media.can_read.cache_clear()


def test_the_bucket_takes_the_types_of_our_table() -> None:
    chapter = probe.__file__.replace("tasks/probe.py", "supabase/migrations/20261126090250_objects.sql")
    with open(chapter) as file:
        migration = file.read()
    assert all(f"'{mime}'" in migration for _, mime in media.TYPES.values())
