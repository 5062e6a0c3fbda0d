"""A million waiting jobs, made by SQL statements: the clients of the queues would take an hour."""

from dataclasses import dataclass

import psycopg

from local import postgres
from local.stack import Stack

# A thousand users, each with the same number of jobs, in turns. Credits are held as by the gate.
OURS = (
    "create temporary table plan as select n, gen_random_uuid() as id,"
    " ('00000000-0000-4000-9000-' || lpad((n % 1000)::text, 12, '0'))::uuid as user_id from generate_series(1, {}) n",
    "insert into auth.users (id) select distinct user_id from plan",
    "insert into public.entitlements (user_id, credits, next_rank) select distinct user_id, 1000000, 0 from plan",
    "insert into public.jobs (id, user_id, model_id, input, cost, rank, max_attempts, deadline_at)"
    " select id, user_id, 'preview', '{{\"prompt\": \"a\"}}', 1, n, 3, now() + interval '1 day' from plan",
    "insert into private.job_requests (job_id, provider, provider_input)"
    " select id, 'preview', '{{\"prompt\": \"a\"}}' from plan",
    "insert into public.credit_entries (user_id, kind, amount, reason, job_id, fingerprint)"
    " select user_id, 'hold', -1, 'preview', id, sha256(id::text::bytea) from plan",
    "drop table plan",
    "vacuum analyze",
)
FORGET_OURS = (
    "truncate public.jobs, public.generations, public.credit_entries cascade",
    "delete from public.entitlements where user_id::text like '%-9000-%'",
    "delete from auth.users where id::text like '%-9000-%'",
    "update public.entitlements set credits = 100000000",
)


def of_ours(stack: Stack, count: int) -> None:
    # Triggers and references are off: a broadcast per row would take an hour.
    run(stack, "set session_replication_role = replica", *(query.format(count) for query in OURS))


def forget_ours(stack: Stack) -> None:
    run(stack, "set session_replication_role = replica", *FORGET_OURS)


@dataclass(frozen=True, slots=True)
class JobTable:
    """The table of a queue's jobs, the condition of unfinished jobs, and the generated key."""

    name: str
    unfinished: str = "true"
    key: str = "id"

    @property
    def left(self) -> bytes:
        return f"select count(*) from {self.name} where {self.unfinished}".encode()  # noqa: S608

    def copy_waiting_row(self, stack: Stack, count: int) -> None:
        columns = (
            "select string_agg(quote_ident(attname), ', ' order by attnum)"  # noqa: S608
            " from pg_attribute"
            f" where attrelid = '{self.name}'::regclass and attnum > 0 and not attisdropped"
            f" and attgenerated = '' and attname <> '{self.key}'"
        )
        with psycopg.connect(stack.url_of(postgres.SUPERUSER), autocommit=True) as conn:
            row = conn.execute(columns.encode()).fetchone()
            assert row is not None
            waiting = f"(select * from {self.name} where {self.unfinished} limit 1)"  # noqa: S608
            copy = (
                f"insert into {self.name} ({row[0]})"  # noqa: S608
                f" select {row[0]} from {waiting} j, generate_series(1, {count})"
            )
            conn.execute("set session_replication_role = replica")
            conn.execute(copy.encode())
            conn.execute("vacuum analyze")

    def forget(self, stack: Stack) -> None:
        run(stack, f"truncate {self.name} cascade")


def run(stack: Stack, *queries: str) -> None:
    with psycopg.connect(stack.url_of(postgres.SUPERUSER), autocommit=True) as conn:
        for query in queries:
            conn.execute(query.encode())


PROCRASTINATE = JobTable("procrastinate_jobs", "status in ('todo', 'doing')")
PGQUEUER = JobTable("pgqueuer")
GRAPHILE = JobTable("graphile_worker._private_jobs")
PG_BOSS = JobTable("pgboss.job", "name = 'run' and state < 'completed'")
PGMQ = JobTable("pgmq.q_run", key="msg_id")
