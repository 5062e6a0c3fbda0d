"""Photos in: stored in the real Storage of the stack, checked by the worker, handed to the
provider.
"""

import io
import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import httpx
import pytest
from PIL import Image
from psycopg.types.json import Jsonb

from local.stack import Stack
from settings import Settings
from tests.replicate.behaviour import Behaviour
from tests.replicate.conftest import InlineWorker, Plan
from tests.replicate.server import MisbehavingReplicate
from tests.support import servers
from tests.support.jobs import Jobs

SCHEMA = {
    "type": "object",
    "required": ["prompt"],
    "properties": {
        "prompt": {"type": "string"},
        "image": {"type": "string", "format": "image"},
        "images": {"type": "array", "items": {"type": "string", "format": "image"}, "maxItems": 3},
    },
}


@pytest.fixture
def environment(
    stack: Stack,
    tmp_path: Path,
    environment: None,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Stack]:
    """As the environment of this folder, with the real Storage behind it."""
    from tasks import storage

    def forget() -> None:
        storage.bucket.cache_clear()
        storage.connections.cache_clear()

    (folder := tmp_path / "stack").mkdir()
    with servers.gateway(stack, folder) as served:
        monkeypatch.setenv("SUPABASE_URL", served.gateway_url)
        monkeypatch.setenv("SUPABASE_SECRET_KEY", served.secret_key)
        monkeypatch.setenv("REPLICATE_WEBHOOK_URL", "https://example.com/hook")
        forget()
        yield served
        storage.connections(30).close()
        forget()


@pytest.fixture
def is_public(monkeypatch: pytest.MonkeyPatch) -> None:
    """The provider can fetch from our Storage, as from a hosted one."""
    monkeypatch.setattr(Settings, "has_public_storage", True)


@pytest.fixture
def brush(jobs: Jobs) -> Jobs:
    jobs.conn.execute(
        "insert into private.models (id, title, cost, provider, provider_model, input_schema)"
        " values ('brush', 'Brush', 2, 'replicate', 'brushes/brush', %s)",
        (Jsonb(SCHEMA),),
    )
    return jobs


def jpeg(colour: str = "orange") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (640, 480), colour).save(file, "JPEG")
    return file.getvalue()


def upload(stack: Stack, jobs: Jobs, content: bytes, mime: str = "image/jpeg", name: str = "") -> str:
    """Stored with the secret key, since this test is about what comes after the gate; the path."""
    path = name or f"{jobs.user_id}/{uuid.uuid4()}.jpg"
    response = httpx.post(
        f"{stack.gateway_url}/storage/v1/object/inputs/{path}",
        content=content,
        headers={"apikey": stack.secret_key, "content-type": mime},
    )
    assert response.status_code == 200, response.text
    return path


def made_from(replicate: MisbehavingReplicate, job_id: UUID) -> dict[str, object]:
    (prediction,) = replicate.of(job_id)
    given: dict[str, object] = prediction.body["input"]
    return given


def fetched(url: object) -> bytes:
    assert isinstance(url, str)
    return httpx.get(url).content


@pytest.mark.usefixtures("is_public")
def test_the_provider_gets_urls_that_outlive_the_deadline_and_the_row_keeps_paths(
    environment: Stack, worker: InlineWorker, brush: Jobs, replicate: MisbehavingReplicate
) -> None:
    pictures = [jpeg("red"), jpeg("green"), jpeg("blue")]
    first, *others = [upload(environment, brush, picture) for picture in pictures]
    job_id = brush.enqueue("brush", image=first, images=others)
    worker.run_once()
    given = made_from(replicate, job_id)
    assert fetched(given["image"]) == pictures[0]
    assert isinstance(given["images"], list)
    assert [fetched(url) for url in given["images"]] == pictures[1:]
    row = brush.conn.execute("select provider_input::text from private.job_requests").fetchone()
    assert row is not None
    assert json.loads(row[0]) == {"prompt": "a fox", "image": first, "images": others}
    token = parse_qs(urlsplit(str(given["image"])).query)["token"][0]
    import jwt

    claims = jwt.decode(token, options={"verify_signature": False})
    deadline = brush.get(job_id)["deadline_at"].timestamp()
    assert deadline < claims["exp"] < deadline + 600


def test_a_storage_that_no_provider_can_reach_has_its_photos_uploaded_to_the_provider(
    environment: Stack, worker: InlineWorker, brush: Jobs, replicate: MisbehavingReplicate
) -> None:
    picture = jpeg()
    job_id = brush.enqueue("brush", image=upload(environment, brush, picture))
    worker.run_once()
    assert made_from(replicate, job_id)["image"] == f"{replicate.url}/v1/files/file-1"
    assert picture in replicate.uploads[0]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html><script>alert(1)</script>",
        b"GIF89a" + b"\0" * 40,
        b"\x89PNG\r\n\x1a\n",
        b"RIFF\0\0\0\0WEBP",
    ],
)
@pytest.mark.usefixtures("is_public")
def test_a_file_that_is_no_photo_never_reaches_the_provider_and_costs_nothing(
    environment: Stack,
    worker: InlineWorker,
    brush: Jobs,
    replicate: MisbehavingReplicate,
    content: bytes,
) -> None:
    before = brush.credits()
    path = upload(environment, brush, content)
    job_id = brush.enqueue("brush", image=path)
    assert worker.run_to_the_end(job_id) == "failed"
    generation = worker.generation(job_id)
    assert (generation["error_code"], generation["input"]["image"]) == ("invalid_input", path)
    assert "photo" in generation["error_message"]
    assert brush.credits() == before
    assert "create" not in replicate.requests


@pytest.mark.usefixtures("is_public")
def test_a_photo_that_went_after_the_request_fails_the_job_in_words(
    environment: Stack, worker: InlineWorker, brush: Jobs, replicate: MisbehavingReplicate
) -> None:
    path = upload(environment, brush, jpeg())
    job_id = brush.enqueue("brush", image=path)
    httpx.request(
        "DELETE",
        f"{environment.gateway_url}/storage/v1/object/inputs",
        json={"prefixes": [path]},
        headers={"apikey": environment.secret_key},
    ).raise_for_status()
    assert worker.run_to_the_end(job_id) == "failed"
    assert worker.generation(job_id)["error_message"].startswith("The photo is no longer there.")
    assert "create" not in replicate.requests


@pytest.mark.parametrize("is_reachable", [True, False])
def test_an_orphan_with_a_photo_is_adopted_and_not_paid_for_twice(
    environment: Stack,
    worker: InlineWorker,
    brush: Jobs,
    replicate: MisbehavingReplicate,
    plan: Plan,
    monkeypatch: pytest.MonkeyPatch,
    is_reachable: bool,
) -> None:
    monkeypatch.setattr(Settings, "has_public_storage", is_reachable)
    plan(Behaviour(create="drop after", seconds=None))
    job_id = brush.enqueue("brush", image=upload(environment, brush, jpeg()))
    worker.run_once()
    assert brush.status(job_id) == "waiting"
    replicate.end_all()
    assert worker.run_to_the_end(job_id) == "succeeded"
    assert [one.id for one in replicate.of(job_id)] == [brush.get(job_id)["provider_ref"]]


@pytest.mark.usefixtures("is_public")
def test_of_two_orphans_with_one_prompt_each_job_adopts_the_one_with_its_own_photo(
    environment: Stack, worker: InlineWorker, brush: Jobs, replicate: MisbehavingReplicate, plan: Plan
) -> None:
    plan(Behaviour(create="drop after", seconds=None))
    both = [
        brush.enqueue("brush", image=upload(environment, brush, jpeg(colour))) for colour in ("red", "blue")
    ]
    worker.run_once()
    replicate.end_all()
    for job_id in reversed(both):
        assert worker.run_to_the_end(job_id) == "succeeded"
    for job_id in both:
        assert [one.id for one in replicate.of(job_id)] == [brush.get(job_id)["provider_ref"]]


def test_an_upload_to_the_provider_that_fails_starts_nothing_and_is_tried_again(
    environment: Stack, worker: InlineWorker, brush: Jobs, replicate: MisbehavingReplicate
) -> None:
    from tests.replicate.behaviour import ErrorResponse

    replicate.faults["upload"].extend([ErrorResponse(503), ErrorResponse(500)])
    job_id = brush.enqueue("brush", image=upload(environment, brush, jpeg()))
    worker.run_once()
    assert brush.status(job_id) == "queued"
    assert "create" not in replicate.requests
    assert worker.run_to_the_end(job_id) == "succeeded"
    assert len(replicate.of(job_id)) == 1


@pytest.mark.usefixtures("is_public")
def test_a_storage_that_is_away_starts_nothing_and_the_job_is_tried_again(
    environment: Stack,
    worker: InlineWorker,
    brush: Jobs,
    replicate: MisbehavingReplicate,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from tasks import storage

    job_id = brush.enqueue("brush", image=upload(environment, brush, jpeg()))
    good = storage.signed_url

    def away(bucket_name: str, path: str, *, seconds: int) -> str:
        monkeypatch.setattr(storage, "signed_url", good)
        raise storage.NotStored("away")

    monkeypatch.setattr(storage, "signed_url", away)
    worker.run_once()
    assert brush.status(job_id) == "queued"
    assert "create" not in replicate.requests
    assert worker.run_to_the_end(job_id) in ("waiting", "succeeded")


def test_a_secret_of_the_row_comes_from_the_environment_and_a_missing_one_is_named(
    environment: Stack,
    worker: InlineWorker,
    brush: Jobs,
    replicate: MisbehavingReplicate,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    brush.conn.execute(
        'update private.models set defaults = \'{"openai_api_key": {"$env": "BRUSH_KEY"}}\' where id = \'brush\''
    )
    missing = brush.enqueue("brush")
    assert worker.run_to_the_end(missing) == "failed"
    assert worker.generation(missing)["error_code"] == "internal"
    assert "BRUSH_KEY" in [record.__dict__.get("missing") for record in caplog.records]
    assert "create" not in replicate.requests

    monkeypatch.setenv("BRUSH_KEY", "sk-secret")
    job_id = brush.enqueue("brush")
    worker.run_once()
    assert made_from(replicate, job_id)["openai_api_key"] == "sk-secret"
    row = brush.conn.execute(
        "select string_agg(provider_input::text, '') from private.job_requests"
    ).fetchone()
    assert row is not None
    assert "sk-secret" not in row[0]
    assert "sk-secret" not in caplog.text
