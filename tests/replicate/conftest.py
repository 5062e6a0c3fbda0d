"""Real worker code, called function by function, on a real database and against the misbehaving Replicate."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any
from uuid import UUID

import pytest
from celery.exceptions import Retry

from chaos.waiting import wait_until
from local.stack import Stack
from tests.jobs import Jobs
from tests.replicate.behaviour import Behaviour
from tests.replicate.server import TOKEN, Replicate, misbehaving_replicate

SECRET_KEY = "sb_secret_of_the_tests"

ADD_MODELS = """
insert into private.models (id, title, cost, provider, provider_model, defaults, input_keys, max_attempts) values
  ('fox', 'Fox', 3, 'replicate', 'foxes/fox', '{"steps": 4}', '{prompt,seed}', 3),
  ('pinned', 'Pinned', 3, 'replicate', 'foxes/fox:abc123', '{}', '{prompt}', 3);
update private.provider_limits set starts_per_minute = 60000, tokens = 1000;
"""


@pytest.fixture
def replicate() -> Iterator[Replicate]:
    with misbehaving_replicate() as server:
        yield server


@pytest.fixture
def environment(stack: Stack, replicate: Replicate, monkeypatch: pytest.MonkeyPatch) -> None:
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


class Worker:
    """Bridge and worker without their loops: what is due is dispatched and run here and now."""

    def __init__(self, jobs: Jobs, replicate: Replicate) -> None:
        self.jobs, self.replicate = jobs, replicate
        self.stored: dict[str, bytes] = {}

    def dispatch(self) -> list[UUID]:
        row = self.jobs.conn.execute("select job_ids from private.dispatch_jobs(100, 100)").fetchone()
        assert row is not None
        return list(row[0])

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
        """Whatever the job waits for, its time has come; its status in the end."""
        for _ in range(looks):
            self.run_once()
            if self.jobs.get(job_id)["finished_at"] is not None:
                break
            self.jobs.conn.execute("update public.jobs set run_at = null where run_at is not null")
        return self.jobs.status(job_id)

    def webhook(self, job_id: UUID, ref: str, *, is_final: bool = True) -> bool:
        row = self.jobs.conn.execute("select public.wake_job(%s, %s, %s)", (job_id, ref, is_final)).fetchone()
        return bool(row and row[0])

    def generation(self, job_id: UUID) -> dict[str, Any]:
        row = self.jobs.conn.execute(
            "select to_jsonb(g) from public.generations g where id = %s", (job_id,)
        ).fetchone()
        assert row is not None
        return dict(row[0])

    def limit(self) -> dict[str, Any]:
        row = self.jobs.conn.execute(
            "select to_jsonb(l) || jsonb_build_object('is_paused', paused_until > now())"
            " from private.provider_limits l where provider = 'replicate'"
        ).fetchone()
        assert row is not None
        return dict(row[0])

    def abandoned(self) -> list[str]:
        rows = self.jobs.conn.execute("select provider_ref from private.provider_cancellations").fetchall()
        return [str(row[0]) for row in rows]

    def age(self, job_id: UUID, seconds: float) -> None:
        """The provider was called so long ago."""
        self.jobs.change(job_id, submitted_at=f"submitted_at - interval '{seconds} seconds'")
        for prediction in self.replicate.of(job_id):
            prediction.created -= seconds


@pytest.fixture
def worker(
    environment: None, jobs: Jobs, replicate: Replicate, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Worker]:
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
    worker = Worker(jobs, replicate)
    monkeypatch.setattr(storage, "upload", lambda path, content, mime: worker.stored.update({path: content}))
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
def plan(replicate: Replicate) -> Plan:
    """One behaviour per create of a job; the last one for all that follow."""

    def set_plan(*behaviours: Behaviour) -> None:
        replicate.tries.clear()
        replicate.plan = lambda job_id, number: behaviours[min(number, len(behaviours) - 1)]

    return set_plan


def ended(replicate: Replicate, job_id: UUID) -> None:
    """The provider has ended everything it does for the job."""
    wait_until(
        lambda: replicate.of(job_id) and all(one.is_ended for one in replicate.of(job_id)),
        "predictions to end",
    )
