"""Decisions without a server: the end of an attempt, and the state of a lease."""

import threading
import uuid
from dataclasses import replace
from datetime import UTC, datetime

import httpx
import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg_pool import PoolTimeout
from storage3._sync.file_api import SyncBucketProxy
from storage3.exceptions import StorageApiError

from local import pids
from settings import Settings
from tasks import lease, outcome, storage, store
from tasks.lease import Keeper, Lease, LeaseLost
from tasks.outcome import Fail, Release, Retry, Wait
from tasks.providers.protocol import Permanent, Transient
from tasks.storage import NotStored
from tasks.store import Job, LeaseState

NOW = datetime(2026, 1, 1, tzinfo=UTC)
JOB = Job(
    id=uuid.UUID(int=1),
    user_id=uuid.UUID(int=2),
    model="preview",
    provider="preview",
    provider_model=None,
    request='{"prompt": "a fox"}',
    input_paths=[],
    attempt=1,
    max_attempts=3,
    fence=1,
    provider_ref=None,
    submitted_at=None,
    claimed_at=NOW,
    is_cancel_requested=False,
    seconds_left=900,
)
LAST = replace(JOB, attempt=3)
BUSY = Transient("provider_unavailable", "Busy.", retry_after=7)


def test_a_transient_error_is_tried_again_after_the_providers_own_time() -> None:
    assert outcome.after(BUSY, JOB) == Retry(7, "provider_unavailable", "Busy.", True)


def test_the_last_attempt_fails() -> None:
    assert outcome.after(BUSY, LAST) == Fail("provider_unavailable", "Busy.")


def test_an_error_that_costs_no_attempt_is_tried_again_even_after_the_last() -> None:
    throttled = Transient("provider_unavailable", "Later.", retry_after=7, costs_attempt=False)
    assert outcome.after(throttled, LAST) == Retry(7, "provider_unavailable", "Later.", False)


def test_a_permanent_error_fails_at_once() -> None:
    assert outcome.after(Permanent("content_rejected", "No."), JOB) == Fail("content_rejected", "No.")


@pytest.mark.parametrize("error", [KeyError("x"), ZeroDivisionError(), TypeError("x")])
def test_a_bug_of_ours_fails_at_once_and_says_nothing_of_itself(error: Exception) -> None:
    assert outcome.after(error, JOB) == Fail("internal", "Something went wrong on our side.")


@pytest.mark.parametrize("error", [psycopg.OperationalError(), PoolTimeout()])
def test_a_database_that_is_away_in_the_middle_of_an_attempt_is_no_bug(error: Exception) -> None:
    assert outcome.after(error, LAST) == Release()


def test_work_that_is_done_but_not_stored_is_collected_again_and_not_ordered_again() -> None:
    done = replace(JOB, provider_ref="p1", submitted_at=NOW)
    assert isinstance(outcome.after(NotStored("x"), done), Wait)
    assert isinstance(outcome.after(NotStored("x"), JOB), Retry)


@given(st.integers(1, 10_000))
def test_backoff_is_bounded_and_its_messages_are_kept_in_memory_for_minutes_only(attempt: int) -> None:
    assert 0 <= outcome.backoff(attempt) <= outcome.LONGEST_BACKOFF <= outcome.LONGEST_COUNTDOWN <= 300


@pytest.mark.parametrize(
    ("status", "raised"),
    [("413", Permanent), (413, Permanent), ("500", NotStored), ("Conflict", NotStored), ("", NotStored)],
)
def test_a_refusal_of_storage_may_have_any_status(
    status: int | str, raised: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refusing(name: str = "") -> SyncBucketProxy:
        raise StorageApiError("no", "no", status)

    monkeypatch.setattr(storage, "bucket", refusing)
    with pytest.raises(raised):
        storage.upload_once("a/b/0.png", b"", "image/png")


@pytest.mark.parametrize(
    "error", [StorageApiError("no", "no", 500), httpx.ReadTimeout("no"), ValueError("no")]
)
def test_a_picture_that_cannot_be_signed_is_stored_all_the_same(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refusing(name: str, seconds: float) -> SyncBucketProxy:
        raise error

    monkeypatch.setattr(storage, "bucket", refusing)
    assert storage.sign(["a/b/0.png"]) == {}


def test_a_worker_that_was_frozen_for_longer_than_its_lease_asks_before_it_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[LeaseState] = []

    def renew(job: Job, *, lease: float, progress: float | None) -> LeaseState:
        asked.append("lost")
        return "lost"

    monkeypatch.setattr(store, "renew", renew)
    renewed = Lease(JOB, 60)
    renewed.check()
    assert asked == []

    renewed.renewed_at -= 61
    with pytest.raises(LeaseLost):
        renewed.check()


def test_a_leaving_worker_gives_its_jobs_back_before_it_is_killed() -> None:
    assert Settings.model_fields["shutdown_seconds"].default <= pids.KILL_AFTER - 2


def test_the_keeper_renews_what_is_a_third_through_its_lease_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(store, "renew", lambda job, *, lease, progress: "cancel_requested")
    keeper = Keeper()
    # the test renews, instead of a thread of the keeper's own
    keeper.thread = threading.current_thread()
    with keeper.renewing(JOB, seconds=600) as renewed:
        assert keeper.run_once() == 0
        renewed.renewed_at -= 201
        assert keeper.run_once() == 1
        assert renewed.is_cancel_requested
        assert keeper.run_once() == 0
    assert keeper.leases() == []
    assert lease.keeper() is lease.keeper()


def test_the_first_renewal_comes_after_a_second_so_that_the_user_hears_of_the_work(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(store, "renew", lambda job, *, lease, progress: "renewed")
    renewed = Lease(JOB, 600)
    assert not renewed.is_due
    renewed.renewed_at -= 1.1
    assert renewed.is_due
    renewed.renew()
    renewed.renewed_at -= 199
    assert not renewed.is_due
