"""The users of the database, each on a connection of its own and with the role it has in
production.
"""

import json
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar
from uuid import UUID

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

Row = dict[str, Any]

ENDED = ["succeeded", "failed", "canceled"]
INPUT = {"prompt": "a fox in the snow"}


class Actor:
    """One connection in autocommit: what a call does is committed when it returns."""

    role: str

    def __init__(self, url: str) -> None:
        self.conn: psycopg.Connection[Any] = psycopg.connect(url, autocommit=True, row_factory=dict_row)
        self.conn.execute("select set_config('role', %s, false)", (self.role,))
        # A test that waits so long waits for itself.
        self.conn.execute("set statement_timeout = '20s'")

    def rows(self, query: str, *values: object) -> list[Row]:
        return self.execute(query, values).fetchall()

    def row(self, query: str, *values: object) -> Row | None:
        return self.execute(query, values).fetchone()

    def execute(self, query: str, values: tuple[object, ...]) -> psycopg.Cursor[Row]:
        return self.conn.cursor(row_factory=dict_row).execute(query.encode(), values)

    def value(self, query: str, *values: object) -> Any:
        """The first column of the first row."""
        row = self.row(query, *values)
        return None if row is None else next(iter(row.values()))


SomeActor = TypeVar("SomeActor", bound=Actor)


class Visitor(Actor):
    """A visitor without a session."""

    role = "anon"


class User(Actor):
    role = "authenticated"

    def sign_in(self, user_id: UUID, *, is_anonymous: bool = False) -> None:
        claims = {"sub": str(user_id), "role": self.role, "is_anonymous": is_anonymous}
        self.conn.execute("select set_config('request.jwt.claims', %s, false)", (json.dumps(claims),))
        self.id = user_id

    def enqueue(self, job_id: UUID | None = None, model: str = "preview", input: object = INPUT) -> Row:
        """The answer; without an id, one is made as a client does."""
        job_id = job_id or uuid.uuid4()
        answer = self.value("select public.enqueue_generation(%s, %s, %s)", job_id, model, Jsonb(input))
        assert isinstance(answer, dict)
        return answer

    def job(self, **request: Any) -> UUID:
        """The id of a new job."""
        return UUID(self.enqueue(**request)["job"]["id"])

    def cancel(self, job_id: UUID) -> Row:
        answer = self.value("select public.cancel_generation(%s)", job_id)
        assert isinstance(answer, dict)
        return answer

    def status(self, *job_ids: UUID) -> list[Row]:
        answer = self.value("select public.get_job_status(%s)", list(job_ids))
        jobs = answer["jobs"]
        assert isinstance(jobs, list)
        return jobs

    def delete_account(self) -> None:
        self.value("select public.delete_account()")

    def report(self, job_id: UUID | None, reason: str | None = "other", text: str | None = None) -> None:
        self.value("select public.report_generation(%s, %s, %s)", job_id, reason, text)

    def register(self, token: str | None, platform: str | None = "ios") -> None:
        self.value("select public.register_device(%s, %s)", token, platform)

    def unregister(self, token: str | None) -> None:
        self.value("select public.unregister_device(%s)", token)

    def gallery(self, before: Row | None = None, ids: Sequence[UUID] = ()) -> Row:
        cursor = before or {"at": None, "id": None}
        answer = self.value("select public.read_gallery(%s, %s, %s)", cursor["at"], cursor["id"], list(ids))
        assert isinstance(answer, dict)
        return answer

    def delete_generation(self, job_id: UUID) -> bool:
        return self.conn.execute("delete from public.generations where id = %s", (job_id,)).rowcount == 1


class BridgeRole(Actor):
    role = "generation_bridge"

    def dispatch(self, limit: int | None = 100, window: int | None = 1000) -> list[UUID]:
        ids = self.value("select job_ids from private.dispatch_jobs(%s, %s)", limit, window)
        assert isinstance(ids, list)
        return ids

    def redispatch(self, older_than: str | None = "0 seconds") -> int:
        return int(self.value("select private.redispatch_jobs(%s)", older_than))

    def rescue(self, limit: int = 100) -> dict[UUID, str]:
        return {
            row["job_id"]: row["new_status"]
            for row in self.rows("select * from private.rescue_jobs(%s)", limit)
        }


class WorkerRole(Actor):
    role = "generation_worker"

    def claim(self, job_id: UUID, lease: str | None = "1 minute") -> Row | None:
        return self.row("select * from private.claim_jobs(array[%s]::uuid[], %s, true)", job_id, lease)

    def claim_all(self, job_ids: Sequence[UUID]) -> set[UUID]:
        """Those of these jobs that it got."""
        return {row["id"] for row in self.rows("select * from private.claim_jobs(%s, '1 minute')", job_ids)}

    def claimed(self, job_id: UUID) -> int:
        """The fence of a claim that must be won."""
        job = self.claim(job_id)
        assert job is not None, "the job could not be claimed"
        return int(job["fence"])

    def renew(
        self, job_id: UUID, fence: int | None, lease: str | None = "1 minute", progress: float | None = None
    ) -> str:
        return str(
            self.value("select private.renew_lease(%s, %s, %s, %s::real)", job_id, fence, lease, progress)
        )

    def record_submission(self, job_id: UUID, fence: int | None) -> bool:
        return self.value("select private.record_submission(%s, %s)", job_id, fence) is True

    def wait(
        self, job_id: UUID, fence: int | None, ref: str | None = None, check_in: str | None = "1 hour"
    ) -> bool:
        return (
            self.value("select private.wait_for_provider(%s, %s, %s, %s)", job_id, fence, ref, check_in)
            is True
        )

    def release(self, job_id: UUID, fence: int | None) -> bool:
        return self.value("select private.release_job(%s, %s)", job_id, fence) is True

    def retry(
        self, job_id: UUID, fence: int | None, delay: str | None = "0 seconds", costs_attempt: bool = True
    ) -> bool:
        query = "select private.retry_job(%s, %s, %s, 'provider_unavailable', 'Busy.', %s)"
        return str(self.value(query, job_id, fence, delay, costs_attempt)) != "lost"

    def complete(self, job_id: UUID, fence: int | None, output: object = ()) -> bool:
        query = (
            "select private.complete_jobs(array[%s]::uuid[], array[%s]::bigint[], array[%s]::jsonb[], true)"
        )
        completed = self.value(query, job_id, fence, None if output is None else Jsonb(output))
        assert completed in ([job_id], [])
        return bool(completed)

    def complete_all(self, fences: dict[UUID, int], output: object = ()) -> set[UUID]:
        """Those of these jobs that it completed."""
        outputs = [Jsonb(output)] * len(fences)
        query = "select private.complete_jobs(%s, %s::bigint[], %s)"
        return set(self.value(query, list(fences), list(fences.values()), outputs))

    def fail(
        self, job_id: UUID, fence: int | None, code: str | None = "internal", message: str | None = "Sorry."
    ) -> bool:
        return self.value("select private.fail_job(%s, %s, %s, %s)", job_id, fence, code, message) is True


class Service(Actor):
    """A backend with the secret key."""

    role = "service_role"

    def grant(
        self, user_id: UUID, amount: int | None, ref: str | None, reason: str | None = "purchase"
    ) -> int:
        return int(self.value("select public.grant_credits(%s, %s, %s, %s)", user_id, amount, reason, ref))

    def revoke(
        self, user_id: UUID, amount: int | None, ref: str | None, reason: str | None = "refund"
    ) -> Row:
        answer = self.value("select public.revoke_credits(%s, %s, %s, %s)", user_id, amount, reason, ref)
        assert isinstance(answer, dict)
        return answer

    def record(self, event: object) -> str:
        """The effect of one event of a store."""
        return str(self.value("select public.record_purchase(%s)", Jsonb(event)))

    def wake(self, job_id: UUID, ref: str | None, *, is_final: bool = True) -> bool:
        return self.value("select public.wake_job(%s, %s, %s)", job_id, ref, is_final) is True


class Operator(Actor):
    """The project's owner, who may look everywhere and moves rows in time."""

    role = "postgres"

    def reset(self) -> None:
        self.conn.execute("delete from auth.users")
        for table in (
            "provider_cancellations", "purchase_events", "subscriptions", "products", "removed_objects",
            "processes", "provider_starts", "prompt_filter",
        ):  # fmt: skip
            self.conn.execute(f"delete from private.{table}".encode())  # noqa: S608
        with self.conn.transaction():
            self.conn.execute("select set_config('storage.allow_delete_query', 'true', true)")
            self.conn.execute("delete from storage.objects")
        self.conn.execute("delete from private.ledger_audit")
        self.conn.execute("insert into private.ledger_audit default values")
        self.conn.execute("update private.object_sweep set last_bucket = '', last_path = ''")
        self.conn.execute("delete from private.models where id not like 'preview%'")
        self.conn.execute("delete from private.config")
        self.conn.execute("insert into private.config default values")

    def add_user(
        self, *, credits: int | None = None, is_paid: bool = False, is_anonymous: bool = False
    ) -> UUID:
        """A new auth user; with `credits`, one who starts with so many."""
        user_id = uuid.uuid4()
        with self.conn.transaction():
            if credits is not None:
                usual = (
                    self.row("select starter_credits, anonymous_starter_credits from private.config") or {}
                )
                self.configure(starter_credits=credits, anonymous_starter_credits=credits)
            insert = "insert into auth.users (id, is_anonymous) values (%s, %s)"
            self.conn.execute(insert, (user_id, is_anonymous))
            if credits is not None:
                self.configure(**usual)
        if is_paid:
            self.conn.execute("update public.entitlements set is_paid = true where user_id = %s", (user_id,))
        return user_id

    def delete_user(self, user_id: UUID) -> None:
        self.conn.execute("delete from auth.users where id = %s", (user_id,))

    def configure(self, **numbers: float) -> None:
        for name, number in numbers.items():
            self.conn.execute(f"update private.config set {name} = %s".encode(), (number,))  # noqa: S608

    def move(self, job_id: UUID, **times: str) -> None:
        """Set columns of a job to SQL expressions, such as `lease_expires_at="now() - interval '1
        second'"`.
        """
        changes = ", ".join(f"{column} = {expression}" for column, expression in times.items())
        self.conn.execute(f"update public.jobs set {changes} where id = %s".encode(), (job_id,))  # noqa: S608

    def lose_worker(self, job_id: UUID) -> None:
        self.move(job_id, lease_expires_at="now() - interval '1 second'")

    def pass_deadline(self, job_id: UUID) -> None:
        self.move(job_id, deadline_at="now() - interval '1 second'")

    def job(self, job_id: UUID) -> Row:
        row = self.row("select * from public.jobs where id = %s", job_id)
        assert row is not None, "there is no such job"
        return row

    def status(self, job_id: UUID) -> str:
        return str(self.job(job_id)["status"])

    def generation(self, job_id: UUID) -> Row | None:
        return self.row("select * from public.generations where id = %s", job_id)

    def credits(self, user_id: UUID) -> int:
        return int(self.value("select credits from public.entitlements where user_id = %s", user_id))

    def owed(self, user_id: UUID) -> int:
        return int(self.value("select owed from public.entitlements where user_id = %s", user_id))

    def ledger(self, job_id: UUID) -> list[tuple[str, int]]:
        """Kind and amount of a job's entries, in their order."""
        entries = self.rows(
            "select kind, amount from public.credit_entries where job_id = %s order by id", job_id
        )
        return [(entry["kind"], entry["amount"]) for entry in entries]

    def prune(self, older_than: str = "-1 seconds") -> int:
        return int(self.value("select private.prune_jobs(%s)", older_than))


@contextmanager
def refused(status: int, code: str, **headers: str) -> Iterator[None]:
    """Expect a refusal inside that the Data API answers with this status, code and headers."""
    try:
        yield
    except psycopg.Error as error:
        assert error.sqlstate == "PGRST", error
        body, answer = json.loads(str(error.diag.message_primary)), json.loads(str(error.diag.message_detail))
        assert sorted(body) == ["code", "details", "hint", "message"]
        assert (answer["status"], body["code"], answer["headers"]) == (status, code, headers)
    else:
        raise AssertionError(f"not refused with {code}")


def code_of_refusal(call: Callable[[], object]) -> str | None:
    """The stable code a call is refused with; None if it is not."""
    try:
        call()
    except psycopg.Error as error:
        assert error.sqlstate == "PGRST", error
        return str(json.loads(str(error.diag.message_primary))["code"])
    return None
