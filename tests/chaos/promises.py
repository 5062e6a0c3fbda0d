"""The promises for every accepted request, checked after all faults."""

import random
import time
import uuid
from typing import Any

import httpx
from psycopg.types.json import Jsonb

from tests.chaos.load import Load, LoadUser
from tests.chaos.people import People
from tests.chaos.shop import ChaosShop
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
        union select user_id from public.entitlements where user_id = any(%(deleted)s::uuid[])
        union select user_id from auth.sessions where user_id = any(%(deleted)s::uuid[])
        union select user_id from auth.one_time_tokens where user_id = any(%(deleted)s::uuid[])
        union select id from auth.users where id = any(%(deleted)s::uuid[])
    """,
    "made a user that did not sign up": "select from auth.users where id <> all(%(users)s::uuid[])",
}
UNREFERENCED = """
select count(*) from storage.objects o where bucket_id = 'generations' and not exists (
  select from public.generations g
  where g.output @> jsonb_build_array(jsonb_build_object('path', o.name))
    or g.output @> jsonb_build_array(jsonb_build_object('thumb', o.name)))
"""


ACCOUNTS = """
select e.user_id, e.credits - e.owed - coalesce(sum(c.amount), 0)::int, e.paid_until
from public.entitlements e left join public.credit_entries c on c.user_id = e.user_id and c.job_id is not null
group by e.user_id
"""
PICTURES = """
select count(*) from storage.objects where split_part(name, '/', 1) = any(%s)
"""
GONE_WITHIN = 90.0  # seconds; a worker removes the pictures of a deleted account within a minute


def check(system: ChaosSystem, load: Load, shop: ChaosShop, people: People) -> dict[str, int]:
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
            values = (
                {"deleted": deleted, "users": [user.id for user in load.users]} if "%(" in query else None
            )
            found[name] = len(conn.execute(query.encode(), values).fetchall())
        found["has not what the store said"] = len(shop.wrong_accounts(conn.execute(ACCOUNTS).fetchall()))
        paths = conn.execute(
            "select output -> 0 ->> 'path' from public.generations where status = 'succeeded'"
        ).fetchall()
    found["picture cannot be read"] = unreadable(system, [row[0] for row in paths if isinstance(row, tuple)])
    found["left pictures of a deleted user"] = pictures_left(system, deleted)
    found["answered a deleted user"] = sum(
        is_answered(system, user) for user in load.users if user.is_deleted
    )
    found["sign-ins of one account differ"] = sum(
        do_phones_differ(system, user) for user in load.users if not user.is_deleted
    )
    found["store's word was refused or not heard"] = len(shop.refused) + shop.told.qsize()
    found["user could not finish an action"] = len(people.given_up)
    return found


def pictures_left(system: ChaosSystem, deleted: list[str]) -> int:
    until = time.monotonic() + GONE_WITHIN
    left = -1
    while left and time.monotonic() < until:
        with system.connect() as conn:
            row = conn.execute(PICTURES, (deleted,)).fetchone()
        left = int(row[0]) if isinstance(row, tuple) else -1
        time.sleep(0.5 if left else 0)
    return left


def is_answered(system: ChaosSystem, user: LoadUser) -> bool:
    """An access token outlives its account, and is refused."""
    headers = {"apikey": system.stack.publishable_key, "Authorization": f"Bearer {user.token}"}
    body = {"id": str(uuid.uuid4()), "model": "preview", "input": {"prompt": "a ghost"}}
    url = f"{system.stack.gateway_url}/functions/v1/enqueue_generation"
    return httpx.post(url, json=body, headers=headers, timeout=30).status_code != 401


def do_phones_differ(system: ChaosSystem, user: LoadUser) -> bool:
    """Every sign-in came to this user, and reads the same gallery."""
    url, seen = f"{system.stack.gateway_url}/rest/v1/generations?select=id&order=id", set()
    for _, token in user.phones:
        headers = {"apikey": system.stack.publishable_key, "Authorization": f"Bearer {token}"}
        answer = httpx.get(url, headers=headers, timeout=30)
        seen.add(answer.text if answer.is_success else f"refused: {answer.status_code}")
    return {user_id for user_id, _ in user.phones} != {user.id} or len(seen) != 1 or "refused" in seen.pop()


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
