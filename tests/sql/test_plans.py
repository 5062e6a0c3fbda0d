"""Query plans that sessions made in an empty project remain efficient when it has grown."""

import uuid
from uuid import UUID

import psycopg

from local.stack import Stack
from tests.support.actors import BridgeRole, Operator, Service, User, WorkerRole
from tests.support.store import ADD_PRODUCT, DAY, MONTH, NOW, period, refund, transfer

TABLES = {
    "jobs": "public", "generations": "public", "credit_entries": "public", "entitlements": "public",
    "purchase_events": "private", "subscriptions": "private",
}  # fmt: skip
GROWN = 20_000
# Postgres makes a custom plan at every call; after five calls it may keep a generic one.
CALLS_UNTIL_PLANS_ARE_KEPT = 8

GROW = """
insert into auth.users (id) select md5('user' || n)::uuid from generate_series(1, 2000) n;
insert into public.jobs (id, user_id, model_id, input, status, cost, rank, max_attempts, deadline_at,
  finished_at, attempt)
select md5('job' || n)::uuid, md5('user' || n %% 2000 + 1)::uuid, 'preview', '{}', 'succeeded', 1, n, 3, now(), now(), 1
from generate_series(1, %(rows)s) n;
insert into public.generations (id, user_id, model_id, input, status, output, requested_at)
select id, user_id, model_id, input, 'succeeded', '[]', created_at from public.jobs where status = 'succeeded'
on conflict do nothing;
insert into public.credit_entries (user_id, kind, amount, job_id, reason, fingerprint)
select user_id, 'hold', -1, id, 'grown', '' from public.jobs where status = 'succeeded'
on conflict do nothing;
insert into private.purchase_events
  (id, type, happened_at, is_accepted, store, transaction_id, customer, transferred_to, event, is_refund)
select 'grown' || n, case when n %% 2 = 0 then 'TRANSFER' else 'RENEWAL' end, 'epoch', true, 'APP_STORE', n,
  array['x' || n], '{}', '{}', false
from generate_series(1, %(rows)s) n;
insert into private.subscriptions (store, subscription, expires_at, as_of, as_of_event, customer, holders)
select 'APP_STORE', n, now(), now(), n, array['x' || n], array['x' || n] from generate_series(1, %(rows)s) n;
"""


def rows_read_by_scans(operator: Operator) -> dict[str, int]:
    operator.conn.execute("select pg_stat_clear_snapshot()")
    return {
        row["relname"]: int(row["seq_tup_read"])
        for row in operator.rows(
            "select relname, seq_tup_read from pg_stat_user_tables where relname = any(%s)", list(TABLES)
        )
    }


def test_plans_of_an_empty_project_do_not_read_whole_tables_later(stack: Stack) -> None:
    operator, service = Operator(stack.database_url), Service(stack.database_url)
    pruner = Operator(stack.database_url)
    user, worker, bridge = (
        User(stack.database_url),
        WorkerRole(stack.worker_url),
        BridgeRole(stack.bridge_url),
    )
    user.sign_in(operator.add_user(credits=1000))

    def work() -> None:
        """Call every function of a job's life, in the sessions that stay open."""
        job_id = user.job()
        assert bridge.dispatch() == [job_id]
        fence = worker.claimed(job_id)
        worker.renew(job_id, fence, progress=0.5)
        worker.record_submission(job_id, fence)
        worker.wait(job_id, fence, f"ref-{job_id}")
        service.wake(job_id, f"ref-{job_id}")
        assert worker.complete(job_id, worker.claimed(job_id))
        fails(user.job())
        user.status(job_id)
        user.gallery(user.gallery(ids=[job_id])["cursor"])
        user.cancel(user.job())
        sell(user.id)
        bridge.rescue()
        bridge.rows("select * from private.metrics()")
        bridge.rows("select * from private.operator_status()")
        pruner.prune("1 year")

    def fails(job_id: UUID) -> None:
        worker.retry(job_id, worker.claimed(job_id))
        worker.release(job_id, worker.claimed(job_id))
        assert worker.fail(job_id, worker.claimed(job_id))

    def sell(user_id: UUID) -> None:
        number = uuid.uuid4()
        bought = period("RENEWAL", number, NOW, user_id, str(number), NOW + DAY, transaction_id=str(number))
        service.record(bought)
        service.record(refund(uuid.uuid4(), NOW + 1, bought))
        service.record(transfer(uuid.uuid4(), NOW, [uuid.uuid4()], [user_id]))
        service.revoke(user_id, 1, str(number))

    operator.conn.execute(ADD_PRODUCT, (MONTH, 1, True, False))
    # Keep the statistics of an empty project: in a burst of jobs nothing refreshes them.
    for table, schema in TABLES.items():
        operator.conn.execute(f"alter table {schema}.{table} set (autovacuum_enabled = off)".encode())
    work()
    operator.conn.execute("vacuum analyze")
    for _ in range(CALLS_UNTIL_PLANS_ARE_KEPT):
        work()
    with psycopg.connect(stack.database_url, autocommit=True) as other:
        other.execute((GROW % {"rows": GROWN}).encode())
    before = rows_read_by_scans(operator)
    for _ in range(5):
        work()
    for actor in (user, worker, bridge, service, pruner):
        actor.conn.close()  # a session reports its reads when it ends, if not before
    after = rows_read_by_scans(operator)
    operator.conn.close()
    assert {table: after[table] - before[table] for table in TABLES} == dict.fromkeys(TABLES, 0)
