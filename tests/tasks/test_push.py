"""A long job is pushed once, and the job has ended even if the service fails."""

import time
from collections.abc import Iterator
from dataclasses import replace
from queue import Queue
from uuid import UUID

import pytest

import settings
from tasks import background, store
from tasks.worker import push
from tests.support.expo import Expo, serving
from tests.support.jobs import Jobs
from tests.support.waiting import wait_until
from tests.tasks.conftest import StartWorker
from tests.tasks.test_decisions import JOB

PHONE, TABLET = "ExponentPushToken[phone]", "ExpoPushToken[tablet]"
TROUBLE = ["fail", "refuse", "mumble", "flood", "break off", "drip", "hang"]


@pytest.fixture
def expo() -> Iterator[Expo]:
    with serving() as expo:
        yield expo


@pytest.fixture
def forgotten(expo: Expo, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Pushes of this process go to the stand-in; the tokens that it forgets."""
    forgotten: list[str] = []
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    monkeypatch.setenv("EXPO_PUSH_URL", expo.url)
    monkeypatch.setattr(store, "devices_of_job", lambda job_id: [PHONE, TABLET])
    monkeypatch.setattr(store, "forget_devices", forgotten.extend)
    monkeypatch.setattr(push, "waiting", Queue(maxsize=2))
    settings.load.cache_clear()
    yield forgotten
    settings.load.cache_clear()


def ended(seconds: float, *, has_succeeded: bool = True) -> None:
    job = replace(JOB, seconds_since_request=seconds, claimed_here_at=time.monotonic())
    push.job_ended(job, has_succeeded=has_succeeded)


@pytest.mark.parametrize(("seconds", "is_pushed"), [(-60, False), (31, True), (9000, True)])
def test_only_a_long_job_is_pushed(forgotten: list[str], seconds: float, is_pushed: bool) -> None:
    ended(seconds)
    assert push.waiting.qsize() == is_pushed


@pytest.mark.parametrize("has_succeeded", [True, False])
def test_one_request_tells_all_devices_of_the_user_and_no_prompt(
    forgotten: list[str], expo: Expo, has_succeeded: bool
) -> None:
    ended(60, has_succeeded=has_succeeded)
    push.push_next()
    title = "Your generation is ready." if has_succeeded else "Your generation failed."
    said = {"title": title, "data": {"job": str(JOB.id)}}
    assert expo.requests == [[{"to": PHONE} | said, {"to": TABLET} | said]]
    assert forgotten == []


def test_a_token_that_expo_does_not_know_goes(forgotten: list[str], expo: Expo) -> None:
    expo.gone = {TABLET}
    ended(60)
    push.push_next()
    assert forgotten == [TABLET]


@pytest.mark.parametrize("trouble", TROUBLE)
def test_trouble_is_logged_and_forgets_no_token(
    forgotten: list[str],
    expo: Expo,
    trouble: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    if trouble in ("drip", "hang"):
        monkeypatch.setattr(push, "PUSH_WITHIN", 0.5)
    expo.does, expo.gone = trouble, {PHONE, TABLET}
    ended(60)
    background.attempt(push.push_next, "push.not_sent")
    assert forgotten == []
    logged = [(record.message, record.exc_info) for record in caplog.records if record.name == "tasks"]
    assert logged == [("push.not_sent", None)]
    monkeypatch.setattr(push, "PUSH_WITHIN", 60)
    expo.does = "accept"
    ended(60)
    push.push_next()
    assert forgotten == [PHONE, TABLET]
    assert PHONE not in caplog.text


def test_a_full_line_drops_pushes_and_delays_no_job(
    forgotten: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(3):
        ended(60)
    assert [record.message for record in caplog.records] == ["push.dropped"]


@pytest.mark.parametrize(
    ("ticket", "error"),
    [
        ({"status": "ok", "id": "1"}, None), ({"status": "error"}, "unknown"), ("?", None), (None, None),
        ({"status": "error", "details": {"error": "MessageTooBig"}}, "MessageTooBig"),
        ({"status": "error", "details": []}, "unknown"),
    ],
)  # fmt: skip
def test_any_ticket_can_be_read(ticket: object, error: str | None) -> None:
    assert push.error_of(ticket) == error


def test_a_worker_pushes_once_a_job_and_ends_jobs_while_expo_hangs(
    faulty: Jobs, expo: Expo, start_bridge: StartWorker, start_worker: StartWorker
) -> None:
    faulty.user(None).register(PHONE)
    start_bridge()
    start_worker(EXPO_PUSH_URL=expo.url, PUSH_AFTER_SECONDS="0")

    def ended(do: str) -> UUID:
        job_id = faulty.enqueue("faulty", do=do)
        wait_until(lambda: faulty.status(job_id) in ("succeeded", "failed"), "the job to end")
        return job_id

    told = [ended("paint"), ended("bug")]
    wait_until(lambda: len(expo.requests) == 2, "both pushes")
    expo.does = "hang"
    told.append(ended("paint"))
    wait_until(lambda: len(expo.requests) == 3, "the push that hangs")
    ended("paint")  # and ends although the thread of the pushes waits
    assert [message["data"]["job"] for (message,) in expo.requests] == [str(job_id) for job_id in told]
    assert [request[0]["title"] for request in expo.requests[:2]] == [push.TITLES[True], push.TITLES[False]]


def test_a_token_that_expo_refuses_is_gone_from_the_table(
    faulty: Jobs, expo: Expo, start_bridge: StartWorker, start_worker: StartWorker
) -> None:
    for token in (PHONE, TABLET):
        faulty.user(None).register(token)
    expo.gone = {PHONE}
    start_bridge()
    start_worker(EXPO_PUSH_URL=expo.url, PUSH_AFTER_SECONDS="0")
    faulty.enqueue("faulty")
    devices = "select token from private.devices"
    wait_until(lambda: faulty.operator.rows(devices) == [{"token": TABLET}], "the token to go")
