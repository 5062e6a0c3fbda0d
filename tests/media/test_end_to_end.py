"""The answers of models, through a real worker to the row and to Storage; and the log of refused
ones.
"""

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
import pytest
from PIL import Image

from local.stack import Stack
from tests.media import corpus
from tests.replicate.behaviour import Behaviour, Reply
from tests.replicate.conftest import ADD_MODELS
from tests.replicate.server import TOKEN, MisbehavingReplicate
from tests.support.jobs import Jobs
from tests.support.processes import ControlledProcess
from tests.support.waiting import wait_until
from tests.tasks.conftest import StartWorker

PROMPT = "a fox that no log may tell of"
PNG = corpus.picture("PNG")
DATA = base64.b64encode(PNG).decode()


@cache
def files() -> dict[str, Reply]:
    """Made when a test needs them: it takes two seconds, and every process of a run imports this
    module.
    """
    mp4 = corpus.video()
    return {
        "0.png": Reply(PNG, "image/png"),
        "1.png": Reply(PNG, "binary/octet-stream"),
        "untyped": Reply(PNG, None),
        "lying": Reply(PNG, "text/html"),
        "phone.jpg": Reply(corpus.phone_photo(), "image/jpeg"),
        "apng": Reply(corpus.animated("PNG"), "image/apng"),
        "turned.jpg": Reply(corpus.turned_photo()),
        "gif": Reply(corpus.animated("GIF")),
        "avif": Reply(corpus.picture("AVIF")),
        "large.png": Reply(corpus.picture("PNG", (8192, 8192), compress_level=1)),
        "clip.mp4": Reply(mp4, "video/mp4"),
        "clip.webm": Reply(corpus.video("webm", "libvpx-vp9")),
        "clip.mov": Reply(corpus.video("mov")),
        "mp3": Reply(corpus.sound("mp3", "libmp3lame")),
        "wav": Reply(corpus.sound("wav", "pcm_s16le")),
        "m4a": Reply(corpus.sound("mp4", "aac")),
        "ogg": Reply(corpus.sound("ogg", "libopus")),
        "flac": Reply(corpus.sound("flac", "flac")),
        "heavy.mp4": Reply(corpus.video(movflags="+faststart") + bytes(21_000_000)),
        "model.glb": Reply(corpus.MODEL, "model/gltf-binary"),
        "page": Reply(corpus.PAGE, "text/html"),
        "half.png": Reply(PNG[:60], "image/png"),
        "half.mp4": Reply(mp4[:800], "video/mp4"),
        "bomb": Reply(corpus.pixel_bomb(), "image/png"),
        "zipped": Reply(PNG, "image/png", (("Content-Encoding", "gzip, gzip"),)),
        "without-end": Reply(b"\x89PNG\r\n\x1a\n" + bytes(1 << 20), "image/png", is_endless=True),
        "concat": Reply(corpus.PLAYLISTS["ffconcat"], "video/mp4"),
    }


def file(name: str) -> Callable[[str], Any]:
    return lambda files: f"{files}/{name}"


@dataclass(frozen=True)
class Sample:
    answer: Callable[[str], Any]
    stored: list[str] = field(default_factory=list)  # extensions, or the text
    code: str | None = None
    # a part of each field of a line of the log
    logged: dict[str, str] = field(default_factory=dict)


SAMPLES = {
    "an object": Sample(lambda at: {"image": f"{at}/0.png", "seed": 1}, ["png"]),
    "an object of lists": Sample(lambda at: {"images": [f"{at}/0.png"]}, ["png"]),
    "a list of objects": Sample(lambda at: [{"url": f"{at}/0.png"}], ["png"]),
    "a picture and a video": Sample(lambda at: {"poster": f"{at}/0.png", "video": f"{at}/clip.mp4"}, ["png", "mp4"]),
    "a picture and a model": Sample(
        lambda at: {"mesh": f"{at}/model.glb", "image": f"{at}/0.png"},
        ["png"],
        logged={"cause": "neither picture", "content_type": "model/gltf-binary", "host": "127.0.0.1",
                "shape": "{mesh: URL at 127.0.0.1, image: URL at 127.0.0.1}"},
    ),
    "twelve": Sample(lambda at: [f"{at}/{n}/0.png" for n in range(12)], ["png"] * 12),
    "a data URI without a type": Sample(lambda at: f"data:application/octet-stream;base64,{DATA}", ["png"]),
    "a type of S3": Sample(file("1.png"), ["png"]),
    "no type": Sample(file("untyped"), ["png"]),
    "a wrong type": Sample(file("lying"), ["png"]),
    "a phone's photo": Sample(file("phone.jpg"), ["jpg"]),
    "a moving picture": Sample(file("apng"), ["png"]),
    "a turned photo": Sample(file("turned.jpg"), ["jpg"]),
    "gif": Sample(file("gif"), ["gif"]),
    "avif": Sample(file("avif"), ["avif"]),
    "an upscale": Sample(file("large.png"), ["png"]),
    "mp4": Sample(file("clip.mp4"), ["mp4"]),
    "webm": Sample(file("clip.webm"), ["webm"]),
    "mov": Sample(file("clip.mov"), ["mov"]),
    "21 megabytes": Sample(file("heavy.mp4"), ["mp4"]),
    "sounds": Sample(
        lambda at: [f"{at}/{name}" for name in ("mp3", "wav", "m4a", "ogg", "flac")],
        ["mp3", "wav", "m4a", "ogg", "flac"],
    ),
    "fragments": Sample(lambda at: ["A fox ", "jumps", ".\0", "\ud83e", "\udd8a"], ["A fox jumps.🦊"]),
    "a text": Sample(lambda at: "A fox jumps.", ["A fox jumps."]),
    "a page": Sample(file("page"), code="provider_rejected", logged={
        "cause": "neither picture", "content_type": "text/html", "host": "127.0.0.1", "shape": "URL at"}),
    "half a picture": Sample(file("half.png"), code="provider_rejected", logged={"cause": "truncated"}),
    "half a video": Sample(file("half.mp4"), code="provider_rejected", logged={"content_type": "video/mp4"}),
    "a bomb": Sample(file("bomb"), code="provider_rejected", logged={"cause": "too many pixels"}),
    "a zip in a zip": Sample(file("zipped"), code="provider_unavailable", logged={"cause": "gzip, gzip"}),
    "no end": Sample(file("without-end"), code="provider_rejected", logged={"cause": "more than 52428800 bytes"}),
    "a playlist": Sample(file("concat"), code="provider_rejected", logged={"cause": "neither picture"}),
    "a redirect": Sample(file("moved"), code="provider_unavailable", logged={"cause": "the file answers 302"}),
    "another host": Sample(
        lambda at: "https://replicate.delivery.example.com/0.png", code="provider_unavailable",
        logged={"shape": "URL at replicate.delivery.example.com"},
    ),
    "no host": Sample(lambda at: ["https://xn--a.replicate.delivery/"], code="provider_unavailable",
                      logged={"shape": "[1 x URL at invalid]"}),
    "no base64": Sample(lambda at: "data:image/png;base64,é", code="provider_rejected",
                        logged={"cause": "no base64", "host": "data", "shape": "data URI"}),
    "half a character": Sample(lambda at: "a \ud800 fox", code="provider_rejected",
                               logged={"cause": "half a character"}),
    "a long text": Sample(lambda at: "fox " * 20_000, code="provider_rejected", logged={"cause": "80000 characters"}),
    "numbers": Sample(lambda at: {"scores": [0.1, 2], "is_nsfw": False}, code="provider_unavailable",
                      logged={"shape": "{scores: [2 x number], is_nsfw: false}"}),
}  # fmt: skip


@pytest.fixture
def worker(
    jobs: Jobs, replicate: MisbehavingReplicate, start_bridge: StartWorker, start_worker: StartWorker
) -> Iterator[Callable[[], ControlledProcess]]:
    jobs.conn.execute(ADD_MODELS)

    def start() -> ControlledProcess:
        start_bridge()
        return start_worker(
            REPLICATE_BASE_URL=replicate.url,
            REPLICATE_API_TOKEN=TOKEN,
            REPLICATE_WEBHOOK_URL="http://127.0.0.1:1/webhook",
            LOG_FORMAT="json",
        )

    yield start


def test_every_model_works(
    worker: Callable[[], ControlledProcess], jobs: Jobs, replicate: MisbehavingReplicate, gateway: Stack
) -> None:
    replicate.files = files()
    asked = {name: jobs.enqueue("fox", prompt=PROMPT) for name in SAMPLES}
    behaviours = {
        str(asked[name]): Behaviour(output=sample.answer, webhooks=()) for name, sample in SAMPLES.items()
    }
    replicate.plan = lambda job_id, number: behaviours[job_id]
    process = worker()
    wait_until(lambda: wake(jobs) == 0, "all jobs to end", 120)

    found = {name: outcome(jobs, asked[name]) for name in SAMPLES}
    assert found == {name: (sample.stored, sample.code) for name, sample in SAMPLES.items()}
    assert stored(jobs) == shown(jobs)

    lines = [json.loads(line) for line in process.output.splitlines() if line.startswith("{")]
    for name, sample in SAMPLES.items():
        about = [
            line
            for line in lines
            if line.get("job_id") == str(asked[name]) and line["event"].startswith("output.")
        ]
        if sample.logged:
            assert any(says(line, sample.logged) for line in about), (name, about)
    for secret in (PROMPT, TOKEN, gateway.secret_key, DATA, "0.png"):
        assert secret not in process.output


def test_a_job_that_fails_after_it_stored_a_file_leaves_none(
    worker: Callable[[], ControlledProcess], jobs: Jobs, replicate: MisbehavingReplicate
) -> None:
    replicate.files = files()
    jobs.conn.execute("update storage.buckets set file_size_limit = 1000 where id = 'generations'")
    replicate.plan = lambda job_id, number: Behaviour(
        output=lambda at: [f"{at}/0.png", f"{at}/heavy.mp4"], webhooks=()
    )
    job_id = jobs.enqueue("fox", prompt=PROMPT)
    process = worker()
    wait_until(lambda: wake(jobs) == 0, "the job to end", 60)
    assert outcome(jobs, job_id) == ([], "provider_rejected")
    wait_until(lambda: not stored(jobs), "the first file to be removed", 60)
    assert "object.refused" in process.output
    assert "exceeded the maximum allowed size" in process.output


def test_sixteen_threads_with_pictures_of_four_megapixels_stay_within_250_megabytes(
    worker: Callable[[], ControlledProcess], jobs: Jobs, replicate: MisbehavingReplicate
) -> None:
    noise = Image.effect_noise((2048, 2048), 60)
    photo = Image.merge("RGB", [noise, noise.rotate(90), noise.rotate(180)])
    replicate.files = {
        "0": Reply(corpus.encoded(photo, "PNG", compress_level=1)),
        "1": Reply(corpus.encoded(photo, "JPEG")),
        "2": Reply(corpus.encoded(photo, "WEBP", method=0)),
    }
    replicate.plan = lambda job_id, number: Behaviour(output=file(str(int(job_id[-1], 16) % 3)), webhooks=())
    for _ in range(48):
        jobs.enqueue("fox", prompt=PROMPT)
    process = worker()
    wait_until(lambda: wake(jobs) == 0, "all jobs to end", 120)
    assert set(jobs.statuses()) == {"succeeded"}
    assert process.popen is not None
    status = Path(f"/proc/{process.popen.pid}/status").read_text()
    peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:"))
    assert peak // 1024 < 250, f"{peak // 1024} MB"


def wake(jobs: Jobs) -> int:
    """As webhooks do; how many jobs have not ended."""
    jobs.conn.execute(
        "select public.wake_job(id, provider_ref, true) from public.jobs where status = 'waiting'"
    )
    return int(jobs.count("finished_at is null"))


def outcome(jobs: Jobs, job_id: Any) -> tuple[list[str], str | None]:
    row = jobs.conn.execute(
        "select output, error_code::text from public.generations where id = %s", (job_id,)
    ).fetchone()
    assert row is not None
    output, code = row
    return [each.get("text") or each["path"].rpartition(".")[2] for each in output or []], code


def stored(jobs: Jobs) -> dict[str, tuple[str, int]]:
    """The objects of the bucket: path, type and size."""
    rows = jobs.conn.execute(
        "select name, metadata ->> 'mimetype', (metadata ->> 'size')::int from storage.objects"
    ).fetchall()
    return {name: (mime, 0 if name.endswith("-thumb.webp") else size) for name, mime, size in rows}


def shown(jobs: Jobs) -> dict[str, tuple[str, int]]:
    """The objects that the generations name."""
    with jobs.conn.cursor(row_factory=psycopg.rows.scalar_row) as cursor:
        outputs = cursor.execute(
            "select jsonb_array_elements(output) from public.generations where output is not null"
        ).fetchall()
    files = [output for output in outputs if output["kind"] != "text"]
    assert all(file["token"] for file in files)
    assert all(
        bool(file["thumb"]) == bool(file["thumb_token"]) == (file["kind"] != "audio") for file in files
    )
    return {file["path"]: (file["mime"], file["bytes"]) for file in files} | {
        file["thumb"]: ("image/webp", 0) for file in files if file["thumb"]
    }


def says(line: dict[str, Any], expected: dict[str, str]) -> bool:
    return all(part in str(line.get(name)) for name, part in expected.items())
