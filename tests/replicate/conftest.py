"""Real worker code, called function by function, on a real database and against the misbehaving
Replicate.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from io import FileIO
from typing import Any
from uuid import UUID

import pytest
from celery.exceptions import Retry

from local.stack import Stack
from tests.replicate.behaviour import Behaviour
from tests.replicate.server import TOKEN, MisbehavingReplicate, misbehaving_replicate
from tests.support.jobs import Jobs
from tests.support.waiting import wait_until

SECRET_KEY = "sb_secret_of_the_tests"

ADD_MODELS = """
insert into private.models (id, title, cost, provider, provider_model, defaults, input_schema, max_attempts) values
  ('fox', 'Fox', 3, 'replicate', 'foxes/fox', '{"steps": 4}', '{
    "type": "object", "required": ["prompt"],
    "properties": {"prompt": {"type": "string"}, "seed": {"type": "integer"}}
  }', 3),
  ('pinned', 'Pinned', 3, 'replicate', 'foxes/fox:abc123', '{}', default, 3);
update private.provider_limits set starts_per_minute = 60000, tokens = 1000;
"""


@pytest.fixture
def replicate() -> Iterator[MisbehavingReplicate]:
    with misbehaving_replicate() as server:
        yield server


@pytest.fixture
def environment(stack: Stack, replicate: MisbehavingReplicate, monkeypatch: pytest.MonkeyPatch) -> None:
    values = {
        "DATABASE_URL": stack.worker_url,
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "SUPABASE_URL": "https://project.example.com",
        "SUPABASE_SECRET_KEY": SECRET_KEY,
        "REPLICATE_API_TOKEN": TOKEN,
        "REPLICATE_BASE_URL": replicate.url,
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)


class InlineWorker:
    """Bridge and worker without their loops: what is due is dispatched and run here and now."""

    def __init__(self, jobs: Jobs, replicate: MisbehavingReplicate) -> None:
        self.jobs, self.replicate = jobs, replicate
        self.bridge, self.service = jobs.actors.bridge, jobs.actors.service
        self.stored: dict[str, bytes] = {}

    def dispatch(self) -> list[UUID]:
        return self.bridge.dispatch(window=100)

    def deliver(self, job_id: UUID) -> None:
        from tasks.generate import generate

        with suppress(Retry):  # its message; the row is due without it
            generate(str(job_id))

    def run_once(self) -> int:
        due = self.dispatch()
        for job_id in due:
            self.deliver(job_id)
        return len(due)

    def run_to_the_end(self, job_id: UUID, looks: int = 12) -> str:
        """Let the time of the job's wait pass until it ends; its last status."""
        for _ in range(looks):
            self.run_once()
            if self.jobs.get(job_id)["finished_at"] is not None:
                break
            self.jobs.conn.execute("update public.jobs set run_at = null where run_at is not null")
        return self.jobs.status(job_id)

    def webhook(self, job_id: UUID, ref: str, *, is_final: bool = True) -> bool:
        return self.service.wake(job_id, ref, is_final=is_final)

    def generation(self, job_id: UUID) -> dict[str, Any]:
        generation = self.jobs.operator.generation(job_id)
        assert generation is not None
        return generation

    def limit(self) -> dict[str, Any]:
        row = self.jobs.conn.execute(
            "select to_jsonb(l) || jsonb_build_object('is_paused', paused_until > now())"
            " from private.provider_limits l where provider = 'replicate'"
        ).fetchone()
        assert row is not None
        return dict(row[0])

    def provider_cancellations(self) -> list[str]:
        rows = self.jobs.conn.execute("select provider_ref from private.provider_cancellations").fetchall()
        return [str(row[0]) for row in rows]

    def age(self, job_id: UUID, seconds: float) -> None:
        """The provider was called so long ago."""
        self.jobs.move(job_id, submitted_at=f"submitted_at - interval '{seconds} seconds'")
        for prediction in self.replicate.of(job_id):
            prediction.created -= seconds


@pytest.fixture
def worker(
    environment: None, jobs: Jobs, replicate: MisbehavingReplicate, monkeypatch: pytest.MonkeyPatch
) -> Iterator[InlineWorker]:
    import settings
    from tasks import lease, storage, store
    from tasks.providers import download
    from tasks.providers.replicate import replicate as provider

    def forget() -> None:
        settings.load.cache_clear()
        store.pool.cache_clear()
        provider.cache_clear()
        download.client.cache_clear()

    forget()
    worker = InlineWorker(jobs, replicate)

    def upload(path: str, file: FileIO | bytes, mime: str) -> None:
        if isinstance(file, FileIO):
            file.seek(0)
        worker.stored[path] = file if isinstance(file, bytes) else file.read()

    monkeypatch.setattr(storage, "upload", upload)
    monkeypatch.setattr(storage, "sign", lambda paths: {path: f"token of {path}" for path in paths})
    jobs.conn.execute(ADD_MODELS)
    yield worker
    assert not lease.keeper().kept
    store.pool().close()
    provider().transport.close()
    download.client().close()
    forget()


Plan = Callable[..., None]


@pytest.fixture
def plan(replicate: MisbehavingReplicate) -> Plan:
    """One behaviour per create of a job; the last one for all that follow."""

    def set_plan(*behaviours: Behaviour) -> None:
        replicate.tries.clear()
        replicate.plan = lambda job_id, number: behaviours[min(number, len(behaviours) - 1)]

    return set_plan


def ended(replicate: MisbehavingReplicate, job_id: UUID) -> None:
    """The provider has ended everything it does for the job."""
    wait_until(
        lambda: replicate.of(job_id) and all(one.is_ended for one in replicate.of(job_id)),
        "predictions to end",
    )
