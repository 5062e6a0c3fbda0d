"""One rich user and its jobs, for tests of processes: what the actors say and do, with user and
prompt as given.
"""

import uuid
from typing import Any, Self
from uuid import UUID

from psycopg.rows import tuple_row

from tests.support.actors import Row, User
from tests.support.all_actors import Actors

RICH = 1_000_000


class Jobs:
    """Asked for like a client does, then moved in time like no client can."""

    def __init__(self, url: str) -> None:
        self.actors = Actors(url)
        self.operator = self.actors.operator
        self.operator.configure(max_unfinished_jobs=RICH, max_unsuccessful_per_day=RICH)
        self.conn = self.operator.conn  # for a test's own SQL, as role postgres
        self.conn.row_factory = tuple_row
        self.user_id = self.add_user()
        self.user(self.user_id)  # connected now: in some tests a provider's bucket fills with time

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.actors.end()

    def add_user(self, credits: int = RICH) -> UUID:
        """A user who has so many credits beside those of the start."""
        user_id = self.operator.add_user()
        self.actors.service.grant(user_id, credits, f"test:{user_id}")
        return user_id

    def user(self, user_id: UUID | None) -> User:
        user = self.actors.named(User)
        user.sign_in(user_id or self.user_id)
        return user

    def enqueue(self, model: str = "preview", user_id: UUID | None = None, **given: Any) -> UUID:
        return self.user(user_id).job(job_id=uuid.uuid4(), model=model, input={"prompt": "a fox", **given})

    def cancel(self, job_id: UUID, user_id: UUID | None = None) -> None:
        self.user(user_id).cancel(job_id)

    def move(self, job_id: UUID, **columns: Any) -> None:
        """Set columns to SQL expressions, such as `run_at="now() - interval '1 hour'"`."""
        self.operator.move(job_id, **columns)

    def get(self, job_id: UUID) -> Row:
        return self.operator.job(job_id)

    def status(self, job_id: UUID) -> str:
        return self.operator.status(job_id)

    def statuses(self) -> list[str]:
        return [str(row["status"]) for row in self.operator.rows("select status from public.jobs")]

    def count(self, where: str = "true") -> int:
        return int(self.operator.value(f"select count(*) from public.jobs where {where}"))  # noqa: S608

    def credits(self, user_id: UUID | None = None) -> int:
        return self.operator.credits(user_id or self.user_id)
