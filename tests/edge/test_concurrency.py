"""Many taps at one moment: each is accepted and charged once, and no balance falls below zero."""

import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import httpx

from tests.edge.backend import Backend
from tests.support.jobs import Jobs

AT_ONCE = 200
STARTER_CREDITS = 10


def tap(http: httpx.Client, backend: Backend, user_id: UUID, job_id: UUID) -> httpx.Response:
    """Send a request as an app does: repeat it while the answer is "unavailable"."""
    body = {"id": str(job_id), "model": "preview", "input": {"prompt": "a fox"}}
    while True:
        answer = http.post(
            backend.gate.url("enqueue_generation"), json=body, headers=backend.headers(user_id)
        )
        if answer.status_code != 503:
            return answer


def all_at_once(backend: Backend, taps: list[tuple[UUID, UUID]]) -> list[httpx.Response]:
    limits = httpx.Limits(max_connections=None)
    with (
        httpx.Client(timeout=60, trust_env=False, limits=limits) as http,
        ThreadPoolExecutor(len(taps)) as pool,
    ):
        return list(pool.map(lambda each: tap(http, backend, *each), taps))


def test_many_users_who_tap_at_once_are_all_accepted(backend: Backend, jobs: Jobs) -> None:
    taps = [(jobs.add_user(credits=5), uuid.uuid4()) for _ in range(AT_ONCE)]
    answers = all_at_once(backend, taps)
    assert Counter(answer.status_code for answer in answers) == {202: AT_ONCE}
    assert {answer.json()["job"]["id"] for answer in answers} == {str(job_id) for _, job_id in taps}
    assert [jobs.credits(user_id) for user_id, _ in taps] == [STARTER_CREDITS + 5 - 1] * AT_ONCE
    assert ledger_is_right(jobs)


def test_one_tap_repeated_at_once_is_one_job_and_one_credit(backend: Backend, jobs: Jobs) -> None:
    user_id, job_id = jobs.add_user(credits=5), uuid.uuid4()
    answers = all_at_once(backend, [(user_id, job_id)] * AT_ONCE)
    assert Counter(answer.status_code for answer in answers) == {202: AT_ONCE}
    assert {answer.json()["credits"] for answer in answers} == {STARTER_CREDITS + 5 - 1}
    assert len(jobs_of(jobs, user_id)) == 1
    assert ledger_is_right(jobs)


def test_a_user_gets_no_more_than_the_balance_pays_for(backend: Backend, jobs: Jobs) -> None:
    user_id = jobs.add_user(credits=5)
    answers = all_at_once(backend, [(user_id, uuid.uuid4()) for _ in range(AT_ONCE)])
    assert Counter(answer.status_code for answer in answers) == {202: 15, 402: AT_ONCE - 15}
    assert (jobs.credits(user_id), len(jobs_of(jobs, user_id))) == (0, 15)
    assert ledger_is_right(jobs)


def test_an_id_that_two_users_tap_at_once_is_the_job_of_one(backend: Backend, jobs: Jobs) -> None:
    users = [jobs.add_user(credits=5) for _ in range(20)]
    job_id = uuid.uuid4()
    answers = all_at_once(backend, [(user_id, job_id) for user_id in users])
    assert Counter(answer.status_code for answer in answers) == {202: 1, 409: 19}
    assert sum(jobs.credits(user_id) for user_id in users) == (STARTER_CREDITS + 5) * 20 - 1
    assert ledger_is_right(jobs)


def jobs_of(jobs: Jobs, user_id: UUID) -> list[Any]:
    return jobs.conn.execute("select id from public.jobs where user_id = %s", (user_id,)).fetchall()


def ledger_is_right(jobs: Jobs) -> bool:
    return jobs.conn.execute("select * from private.ledger_mismatches()").fetchall() == []
