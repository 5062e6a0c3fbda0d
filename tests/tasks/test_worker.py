"""A real bridge and a real worker: every way a job can end."""

from uuid import UUID

import httpx
import pytest

from local.stack import Stack
from tests.support.jobs import Jobs
from tests.support.processes import ControlledProcess
from tests.support.waiting import wait_until
from tests.tasks.conftest import StartWorker


@pytest.fixture
def worker(start_bridge: StartWorker, start_worker: StartWorker) -> ControlledProcess:
    start_bridge()
    return start_worker()


def ended(jobs: Jobs, job_id: UUID, status: str, code: str | None = None, timeout: float = 30) -> None:
    wait_until(lambda: jobs.get(job_id)["finished_at"] is not None, "the job to end", timeout)
    assert (jobs.status(job_id), jobs.get(job_id)["error_code"]) == (status, code)


def test_a_job_becomes_a_picture_in_storage_and_costs_its_price(
    worker: ControlledProcess, jobs: Jobs, gateway: Stack
) -> None:
    before = jobs.credits()
    job_id = jobs.enqueue()
    ended(jobs, job_id, "succeeded")

    row = jobs.conn.execute("select output from public.generations where id = %s", (job_id,)).fetchone()
    assert row is not None
    (picture,) = row[0]
    stored = jobs.conn.execute("select name from storage.objects where bucket_id = 'generations'").fetchall()
    assert set(stored) == {(picture["path"],), (picture["thumb"],)}
    assert picture["path"] == f"{jobs.user_id}/{job_id}/0.jpg"
    assert (picture["mime"], picture["width"], picture["height"]) == ("image/jpeg", 768, 768)
    url = f"{gateway.gateway_url}/storage/v1/object/sign/generations/{picture['path']}"
    assert httpx.get(url, params={"token": picture["token"]}).headers["content-type"] == "image/jpeg"
    assert jobs.credits() == before - 1


def test_a_slow_provider_holds_no_worker(worker: ControlledProcess, jobs: Jobs) -> None:
    job_id = jobs.enqueue(seconds=0.5)
    wait_until(lambda: jobs.status(job_id) == "waiting", "the job to wait")
    ended(jobs, job_id, "succeeded")


@pytest.mark.parametrize(
    ("do", "code"),
    [
        ("reject", "content_rejected"),
        ("bug", "internal"),
        ("send rubbish", "provider_rejected"),
        ("fail", "provider_unavailable"),
    ],
)
def test_a_job_without_success_costs_nothing(
    worker: ControlledProcess, faulty: Jobs, do: str, code: str
) -> None:
    before = faulty.credits()
    job_id = faulty.enqueue("faulty", do=do)
    ended(faulty, job_id, "failed", code)
    assert faulty.credits() == before
    assert faulty.get(job_id)["attempt"] == (3 if do == "fail" else 1)


def test_a_transient_error_is_tried_again(worker: ControlledProcess, faulty: Jobs) -> None:
    job_id = faulty.enqueue("faulty", do="fail at first")
    ended(faulty, job_id, "succeeded")
    assert faulty.get(job_id)["attempt"] == 2


def test_a_canceled_waiting_job_is_canceled_at_once(worker: ControlledProcess, faulty: Jobs) -> None:
    before = faulty.credits()
    job_id = faulty.enqueue("faulty", do="wait endlessly")
    wait_until(lambda: faulty.status(job_id) == "waiting", "the job to wait")

    faulty.cancel(job_id)

    assert (faulty.status(job_id), faulty.credits()) == ("canceled", before)


def test_a_canceled_running_job_ends_canceled(worker: ControlledProcess, faulty: Jobs) -> None:
    before = faulty.credits()
    job_id = faulty.enqueue("faulty", seconds=2.5)  # longer than two renewals
    wait_until(lambda: faulty.status(job_id) == "running", "the job to run")

    faulty.cancel(job_id)

    ended(faulty, job_id, "canceled", "canceled")
    assert faulty.credits() == before


def test_a_job_that_takes_longer_than_its_lease_keeps_it(worker: ControlledProcess, faulty: Jobs) -> None:
    job_id = faulty.enqueue("faulty", seconds=5)
    ended(faulty, job_id, "succeeded")
    assert (faulty.get(job_id)["attempt"], faulty.get(job_id)["fence"]) == (1, 1)
