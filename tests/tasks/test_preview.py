"""The embedded provider: its outputs, and the inputs that it refuses."""

import builtins
import io
import json
import logging
import math
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st
from PIL import Image, ImageStat

from settings import load
from tasks.providers import download
from tasks.providers.preview import LONGEST_LOOK, Preview, painting, photo, poem, scene
from tasks.providers.protocol import Done, Pending, Permanent, Started, Transient
from tests.tasks.test_decisions import JOB


def made(model: str | None = None, **given_input: Any) -> list[Any]:
    done = Preview().start(
        replace(JOB, provider_model=model, request=json.dumps({"prompt": "a fox"} | given_input))
    )
    assert isinstance(done, Done)
    return [output if isinstance(output, str) else b"".join(output) for output in done.outputs]


def picture(prompt: str, variation: int = 0) -> Image.Image:
    return painting.paint(scene.read(prompt, variation))


def brightness(image: Image.Image) -> float:
    return float(ImageStat.Stat(image.convert("L")).mean[0])


def difference(one: Image.Image, other: Image.Image) -> float:
    """Of two pictures' thumbnails, from 0 to 255."""
    these, those = (image.convert("L").resize((32, 32)).tobytes() for image in (one, other))
    return sum(abs(a - b) for a, b in zip(these, those, strict=True)) / 1024


def test_the_same_prompt_gives_the_same_picture() -> None:
    assert made() == made()
    assert made() != made(prompt="a fox in the snow")


def test_a_picture_is_one_that_can_be_stored() -> None:
    (file,) = made()
    with Image.open(io.BytesIO(file)) as opened:
        opened.load()
        assert opened.size == (768, 768)


def test_the_words_of_the_prompt_choose_the_light() -> None:
    assert brightness(picture("a lake at night")) < brightness(picture("a lake at dusk"))
    assert brightness(picture("a lake at dusk")) < brightness(picture("a lake at noon"))


@pytest.mark.parametrize(
    ("prompt", "time", "part", "subject"),
    [
        ("A LIGHTHOUSE at dusk, waves!", "dusk", "water", "lighthouse"),
        ("foxes in the woods", None, "trees", "fox"),
        ("fireflies over a meadow at midnight", "night", "lights", None),
        ("snowy peaks", "winter", "peaks", None),
        ("neon skyline", "night", "towers", None),
        ("poppies in the rain", "mist", "rain", None),
    ],
)
def test_the_words_of_the_prompt_choose_the_scene(
    prompt: str, time: str | None, part: str, subject: str | None
) -> None:
    read = scene.read(prompt, 0)
    assert part in read.parts
    assert read.subject == subject
    assert time in (read.time, None)


@pytest.mark.parametrize("subject", scene.SUBJECTS)
def test_every_subject_can_be_seen(subject: str) -> None:
    """The same scene without it is another picture: it is really drawn."""
    there = scene.read(f"a {subject} at noon", 0)
    assert (
        difference(
            painting.paint(there),
            painting.paint(replace(scene.read(f"a {subject} at noon", 0), subject=None)),
        )
        > 0.1
    )


@given(st.text(min_size=1, max_size=60), st.integers(0, 3))
@limits(max_examples=12, deadline=None)
def test_any_prompt_gives_a_picture_and_a_poem(prompt: str, variation: int) -> None:
    low, high = picture(prompt, variation).convert("L").getextrema()
    assert isinstance(low, int) and isinstance(high, int)
    assert high - low > 40  # no empty sheet
    assert len(poem.write(prompt, variation).splitlines()) >= 4


def test_each_of_several_outputs_is_another_picture() -> None:
    files = made(num_outputs=4)
    assert len(files) == 4
    assert len(set(files)) == 4


def test_a_text_is_a_short_poem() -> None:
    one, other = made("text", prompt="a lighthouse at night", num_outputs=2)
    assert one.startswith("a lighthouse at night\n\n")
    assert "The lighthouse turns its patient eye." in one
    assert one != other
    assert len(made("text", prompt="word " * 1000)[0]) < 1000


def test_a_video_is_a_real_one() -> None:
    av = pytest.importorskip("av")
    (file,) = made("video", prompt="a fox in the snow")
    with av.open(io.BytesIO(file)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert 2 <= container.duration / 1e6 <= 3
        frames = [frame.to_image() for frame in container.decode(stream)]
    assert len(frames) > 40
    assert difference(frames[0], frames[-1]) > 1  # it moves


def test_a_video_without_pyav_fails_as_ours_and_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    import_module = builtins.__import__

    def without_av(name: str, *rest: Any, **more: Any) -> Any:
        if name == "av":
            raise ModuleNotFoundError("No module named 'av'")
        return import_module(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without_av)
    with pytest.raises(Permanent) as raised, caplog.at_level(logging.ERROR):
        made("video")
    assert raised.value.code == "internal"
    assert [record.message for record in caplog.records] == ["media.missing"]
    assert "av" in caplog.records[0].__dict__["cure"]


def test_progress_moves_while_it_works(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("time.time", lambda: now)
    job = replace(JOB, request='{"prompt": "a fox", "seconds": 20}')
    started = Preview().start(job)
    assert isinstance(started, Started)
    check_in, seen = started.check_in, [0.0]
    while True:
        assert 0 < check_in <= LONGEST_LOOK
        now += check_in
        look = Preview().check(job, started.ref)
        if isinstance(look, Done):
            break
        assert look.progress is not None
        check_in = look.check_in
        seen.append(look.progress)
    assert seen == sorted(set(seen))
    assert len(seen) >= 7
    assert math.isclose(now, 1020)


def test_a_clock_that_jumps_gives_no_impossible_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    job = replace(JOB, request='{"prompt": "a fox", "seconds": 20}')
    started = Preview().start(job)
    assert isinstance(started, Started)
    monkeypatch.setattr("time.time", lambda: 0.0)
    look = Preview().check(job, started.ref)
    assert isinstance(look, Pending)
    assert (look.progress, look.check_in <= LONGEST_LOOK) == (0.0, True)


@pytest.mark.parametrize(
    "image",
    [
        7, ["x"], "/etc/hostname", "file:///etc/hostname", "https://elsewhere.example.com/photo.jpg",
        "data:image/png;base64,AAAA",
    ],
)  # fmt: skip
def test_a_photo_outside_of_our_storage_is_refused(image: object, storage: str) -> None:
    with pytest.raises(Permanent, match="photo") as raised:
        made(image=image)
    assert raised.value.code == "invalid_input"


def test_forbidden_content_is_rejected() -> None:
    with pytest.raises(Permanent) as raised:
        made(prompt="something FORBIDDEN here")
    assert raised.value.code == "content_rejected"


def test_a_model_of_an_unknown_kind_is_our_mistake() -> None:
    with pytest.raises(Permanent) as raised:
        made("sculpture")
    assert raised.value.code == "internal"


@pytest.fixture
def storage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Something that answers as Storage does; its URL is the setting of the worker."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(503 if self.path == "/away" else 200)
            self.send_header("Content-Type", "image/jpeg")
            self.end_headers()
            with suppress(OSError):  # the client hangs up
                self.wfile.write(photo_of(tmp_path).read_bytes())
                for _ in range(12 if self.path == "/large" else 0):  # which Pillow would not mind
                    self.wfile.write(bytes(1_000_000))

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}"
        monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
        monkeypatch.setenv("SUPABASE_URL", url)
        load.cache_clear()
        yield url
        load.cache_clear()
        download.client().close()
        download.client.cache_clear()
        server.shutdown()
        thread.join()


def photo_of(tmp_path: Path, size: tuple[int, int] = (300, 200), orientation: int = 1) -> Path:
    image = Image.new("RGB", size, (40, 60, 90))
    image.paste((250, 220, 120), (0, 0, size[0] // 2, size[1]))
    exif = Image.Exif()
    exif[274] = orientation
    image.save(path := tmp_path / "photo.jpg", exif=exif)
    return path


def test_a_photo_becomes_a_painting_of_the_same_view(tmp_path: Path) -> None:
    loaded = photo.load(photo_of(tmp_path))
    painted = photo.paint(loaded, scene.read("sunset", 0))
    assert painted.size == loaded.size
    left, right = painted.crop((0, 0, 120, 200)), painted.crop((180, 0, 300, 200))
    assert brightness(left) > brightness(right) + 50
    assert painted.tobytes() == photo.paint(loaded, scene.read("sunset", 0)).tobytes()
    assert painted.tobytes() != loaded.tobytes()


def test_a_photo_of_a_phone_is_upright_and_bounded(tmp_path: Path) -> None:
    assert photo.load(photo_of(tmp_path, (1600, 900), orientation=6)).size == (432, 768)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGBA", "LA", "I;16"])
@pytest.mark.parametrize("size", [(1, 1), (1, 2000), (2000, 3)])
def test_a_photo_of_any_shape_and_mode_is_painted(mode: str, size: tuple[int, int], tmp_path: Path) -> None:
    Image.new(mode, size).save(tmp_path / "photo.png")
    painted = photo.paint(photo.load(tmp_path / "photo.png"), scene.read("a fox", 0))
    assert painted.mode == "RGB"
    assert max(painted.size) == min(max(size), 768)


def test_a_photo_is_fetched_from_storage(storage: str) -> None:
    (file,) = made(image=f"{storage}/photo.jpg?token=t")
    with Image.open(io.BytesIO(file)) as opened:
        assert opened.size == (300, 200)


def test_a_photo_that_is_none_is_the_users_to_change(tmp_path: Path) -> None:
    (tmp_path / "page").write_text("<!doctype html>")
    (tmp_path / "half").write_bytes(photo_of(tmp_path).read_bytes()[:700])
    for name in ("page", "half"):
        with pytest.raises(Permanent) as raised:
            photo.load(tmp_path / name)
        assert raised.value.code == "invalid_input"


def test_a_photo_that_is_too_large_is_refused(storage: str) -> None:
    with pytest.raises(Permanent) as raised:
        made(image=f"{storage}/large")
    assert raised.value.code == "invalid_input"


def test_a_photo_that_does_not_come_now_is_fetched_by_another_attempt(storage: str) -> None:
    with pytest.raises(Transient):
        made(image=f"{storage}/away")
