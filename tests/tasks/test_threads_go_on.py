"""The background threads of a worker go on after an unexpected error, and log its traceback."""

import threading
from collections.abc import Callable

import psycopg
import pytest

from tasks import background, store
from tasks.lease import Keeper
from tasks.worker import sweeper
from tests.tasks.test_decisions import JOB

UNEXPECTED = [psycopg.errors.InsufficientPrivilege(), psycopg.errors.UndefinedFunction(), KeyError("a bug")]


def failing(error: Exception) -> Callable[..., None]:
    def fail(*_: object, **__: object) -> None:
        raise error

    return fail


@pytest.mark.parametrize("error", UNEXPECTED)
def test_leases_are_renewed_after_any_error(
    error: Exception, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    keeper = Keeper()
    # the test renews, instead of a thread of the keeper's own
    keeper.thread = threading.current_thread()
    with keeper.renewing(JOB, seconds=600) as lease:
        lease.renewed_at -= 201
        monkeypatch.setattr(store, "renew", failing(error))
        background.attempt(keeper.run_once, "leases.not_renewed")
        assert lease.age > 200
        monkeypatch.setattr(store, "renew", lambda job, *, lease, progress: "renewed")
        assert keeper.run_once() == 1
    assert [record.exc_info is not None for record in caplog.records] == [True]


@pytest.mark.parametrize("error", UNEXPECTED)
def test_sweeps_go_on_after_any_error(
    error: Exception, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(store, "sweep_unreferenced_objects", failing(error))
    background.attempt(sweeper.sweep_unreferenced_objects, sweeper.NOT_REMOVED)
    assert [record.exc_info is not None for record in caplog.records] == [True]
