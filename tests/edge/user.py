"""A user with credits that records its accepted jobs, to detect a credit lost to an attack."""

from collections.abc import Iterator
from typing import Any

import httpx

from tests.edge.backend import Backend
from tests.support.jobs import Jobs

HOLDS = "select count(*), coalesce(-sum(amount), 0) from public.credit_entries where user_id = %s and kind = 'hold'"
JOBS = "select id::text from public.jobs where user_id = %s"


class TappingUser:
    def __init__(self, backend: Backend, http: httpx.Client, jobs: Jobs) -> None:
        self.backend, self.http, self.conn = backend, http, jobs.conn
        self.id = jobs.add_user()
        self.headers = backend.headers(self.id)
        self.accepted: set[str] = set()

    def enqueue(
        self, body: bytes | Iterator[bytes], content_type: str = "application/json"
    ) -> httpx.Response:
        headers = {**self.headers, "Content-Type": content_type}
        url = self.backend.gate.url("enqueue_generation")
        answer = self.http.post(url, content=body, headers=headers)
        if answer.status_code == 202:
            self.accepted.add(answer.json()["job"]["id"])
        return answer

    def get_status(self, **query: str) -> httpx.Response:
        return self.http.get(self.backend.gate.url("get_job_status"), params=query, headers=self.headers)

    def assert_charged_for_the_accepted_alone(self) -> None:
        assert self.jobs() == self.accepted
        assert self._rows(HOLDS) == [(len(self.accepted), len(self.accepted))]
        assert self.conn.execute("select * from private.ledger_mismatches()").fetchall() == []

    def jobs(self) -> set[str]:
        return {row[0] for row in self._rows(JOBS)}

    def _rows(self, query: str) -> list[Any]:
        return self.conn.execute(query, (self.id,)).fetchall()
