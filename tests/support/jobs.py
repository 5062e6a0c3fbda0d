"""Users and jobs as a test needs them: asked for like a client does, then moved in time like no client can."""

import json
import uuid
from typing import Any
from uuid import UUID

import psycopg


class Jobs:
    """Speaks to the database as role postgres; enqueues as the user itself."""

    def __init__(self, conn: psycopg.Connection[Any]) -> None:
        self.conn = conn
        self.user_id = self.add_user()

    def add_user(self, credits: int = 1_000_000) -> UUID:
        user_id = uuid.uuid4()
        self.conn.execute("insert into auth.users (id) values (%s)", (user_id,))
        self.conn.execute(
            "select public.grant_credits(%s, %s, 'test', %s)", (user_id, credits, f"test:{user_id}")
        )
        self.conn.execute("update private.config set max_unfinished_jobs = 1000000")
        return user_id

    def enqueue(self, model: str = "preview", user_id: UUID | None = None, **given: Any) -> UUID:
        job_id = uuid.uuid4()
        claims = json.dumps({"sub": str(user_id or self.user_id), "role": "authenticated"})
        with self.conn.transaction():
            self.conn.execute("select set_config('request.jwt.claims', %s, true)", (claims,))
            self.conn.execute(
                "select public.enqueue_generation(%s, %s, %s)",
                (job_id, model, json.dumps({"prompt": "a fox", **given})),
            )
        return job_id

    def cancel(self, job_id: UUID, user_id: UUID | None = None) -> None:
        claims = json.dumps({"sub": str(user_id or self.user_id), "role": "authenticated"})
        with self.conn.transaction():
            self.conn.execute("select set_config('request.jwt.claims', %s, true)", (claims,))
            self.conn.execute("select public.cancel_generation(%s)", (job_id,))

    def change(self, job_id: UUID, **columns: Any) -> None:
        """Move the row where a test needs it; text such as "now() - interval '1 hour'" is SQL."""
        changes = ", ".join(f"{name} = {value}" for name, value in columns.items())
        self.conn.execute(f"update public.jobs set {changes} where id = %s".encode(), (job_id,))  # noqa: S608

    def get(self, job_id: UUID) -> dict[str, Any]:
        with self.conn.cursor(row_factory=psycopg.rows.dict_row) as cursor:
            row = cursor.execute("select * from public.jobs where id = %s", (job_id,)).fetchone()
        assert row is not None, f"no job {job_id}"
        return row

    def status(self, job_id: UUID) -> str:
        return str(self.get(job_id)["status"])

    def statuses(self) -> list[str]:
        return [str(row[0]) for row in self.conn.execute("select status from public.jobs").fetchall()]

    def count(self, where: str = "true") -> int:
        row = self.conn.execute(f"select count(*) from public.jobs where {where}".encode()).fetchone()  # noqa: S608
        return int(row[0]) if row else 0

    def credits(self, user_id: UUID | None = None) -> int:
        row = self.conn.execute(
            "select credits from public.entitlements where user_id = %s", (user_id or self.user_id,)
        ).fetchone()
        assert row is not None
        return int(row[0])
