"""What must hold for every request that a client saw accepted, whatever happened."""

import random
from typing import Any

import httpx
from psycopg.types.json import Jsonb

from tests.chaos.load import Load
from tests.chaos.system import ChaosSystem

# One row per accepted id that some promise does not hold for, and which.
VIOLATIONS = {
    "did not end": """
        select id from accepted left join public.jobs using (id) where jobs.finished_at is null
    """,
    "has not exactly one generation with its input": """
        select id from accepted a left join public.generations g using (id) where g.id is null or g.input <> a.input
    """,
    "job and generation differ": """
        select id from accepted join public.jobs j using (id) join public.generations g using (id)
        where j.status <> g.status or j.user_id <> g.user_id or j.error_code is distinct from g.error_code
    """,
    "was not charged once or refunded": """
        select id from accepted join public.jobs j using (id)
        left join lateral (
          select count(*) filter (where kind = 'hold') as holds, count(*) filter (where kind = 'settle') as settles,
            count(*) filter (where kind = 'refund') as refunds, sum(amount) as total
          from public.credit_entries where job_id = accepted.id
        ) c on true
        where (holds, settles, refunds, total) is distinct from (
          1::bigint, (j.status = 'succeeded')::int::bigint, (j.status <> 'succeeded')::int::bigint,
          case j.status when 'succeeded' then -j.cost else 0 end::bigint)
    """,
    "went above its attempts": "select id from accepted join public.jobs using (id) where attempt > max_attempts",
    "succeeded without its picture in storage": """
        select id from accepted join public.generations g using (id), jsonb_array_elements(g.output) picture
        where g.status = 'succeeded' and not exists (
          select from storage.objects where bucket_id = 'generations' and name = picture ->> 'path')
    """,
    "succeeded with no picture": """
        select id from accepted join public.generations g using (id)
        where g.status = 'succeeded' and jsonb_array_length(g.output) <> 1
    """,
    "balance and ledger differ": "select user_id from private.ledger_mismatches()",
    "left rows of a deleted user": """
        select user_id from public.credit_entries where user_id = any(%(deleted)s::uuid[])
        union select user_id from public.jobs where user_id = any(%(deleted)s::uuid[])
        union select user_id from public.generations where user_id = any(%(deleted)s::uuid[])
        union select user_id from private.unsuccessful_starts where user_id = any(%(deleted)s::uuid[])
        union select id from auth.users where id = any(%(deleted)s::uuid[])
    """,
}
UNREFERENCED = """
select count(*) from storage.objects o where bucket_id = 'generations' and not exists (
  select from public.generations g
  where g.output @> jsonb_build_array(jsonb_build_object('path', o.name))
    or g.output @> jsonb_build_array(jsonb_build_object('thumb', o.name)))
"""


def check(system: ChaosSystem, load: Load) -> dict[str, int]:
    """Violations by promise; all of them must be 0."""
    deleted = [user.id for user in load.users if user.is_deleted]
    accepted = [(job_id, wish) for job_id, (user, wish) in load.seen.accepted.items() if not user.is_deleted]
    with system.connect() as conn:
        conn.execute("create temp table accepted (id uuid primary key, input jsonb)")
        with conn.cursor() as cursor:
            insert = "insert into accepted values (%s, %s)"
            cursor.executemany(insert, [(job_id, Jsonb(wish)) for job_id, wish in accepted])
        found = {}
        for name, query in VIOLATIONS.items():
            values = {"deleted": deleted} if "%(" in query else None
            found[name] = len(conn.execute(query.encode(), values).fetchall())
        paths = conn.execute(
            "select output -> 0 ->> 'path' from public.generations where status = 'succeeded'"
        ).fetchall()
    found["picture cannot be read"] = unreadable(system, [row[0] for row in paths if isinstance(row, tuple)])
    return found


def unreadable(system: ChaosSystem, paths: list[Any]) -> int:
    """Of a sample: the bytes in Storage are a whole JPEG."""
    sample = random.Random(0).sample(paths, min(200, len(paths)))
    headers = {"apikey": system.stack.secret_key}
    with httpx.Client(base_url=system.stack.gateway_url, headers=headers, timeout=10) as client:
        answers = [client.get(f"/storage/v1/object/authenticated/generations/{path}") for path in sample]
    whole = [one for one in answers if one.status_code == 200 and one.content.endswith(b"\xff\xd9")]
    return len(sample) - len(whole)


def unreferenced_objects(system: ChaosSystem) -> int:
    """unreferenced objects: no promise to a client, and the workers' sweep removes them in time."""
    with system.connect() as conn:
        row = conn.execute(UNREFERENCED).fetchone()
    return int(row[0]) if isinstance(row, tuple) else -1


def endings(system: ChaosSystem) -> str:
    with system.connect() as conn:
        rows = conn.execute(
            "select coalesce(error_code::text, status::text), count(*) from public.jobs group by 1 order by 2 desc"
        ).fetchall()
    return ", ".join(f"{row[1]} {row[0]}" for row in rows if isinstance(row, tuple))
