"""Invariants of all rows at every moment, and from one moment to the next."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from tests.support.actors import ENDED, Operator, Row

Arrow = tuple[str, str]

ARROWS: set[Arrow] = {
    ("queued", "running"), ("queued", "canceled"), ("queued", "failed"),
    ("running", "succeeded"), ("running", "failed"), ("running", "canceled"),
    ("running", "waiting"), ("running", "queued"),
    ("waiting", "running"), ("waiting", "canceled"), ("waiting", "failed"),
}  # fmt: skip

# The codes of failures that are the user's own fault, if the provider was called.
UNPAID = ("canceled", "content_rejected", "invalid_input", "provider_rejected")

# The allowed changes of the attempt count by transition; the others leave it unchanged.
ATTEMPTS = {("queued", "running"): {1}, ("running", "queued"): {0, -1}, ("running", "waiting"): {0, 1}}

EVERYTHING = """
select
  (select coalesce(json_object_agg(id, to_json(j)), '{}') from public.jobs j) as jobs,
  (select coalesce(json_object_agg(id, to_json(g)), '{}') from public.generations g) as generations,
  (select coalesce(json_object_agg(user_id, to_json(e)), '{}') from public.entitlements e) as accounts,
  (select coalesce(json_agg(to_json(c) order by id), '[]') from public.credit_entries c) as entries,
  (select coalesce(json_agg(job_id), '[]') from private.unsuccessful_starts) as starts,
  (select coalesce(json_agg(to_json(r)), '[]') from private.reports r) as reports
"""


@dataclass(frozen=True, slots=True)
class Snapshot:
    jobs: dict[UUID, Row]
    generations: dict[UUID, Row]
    accounts: dict[UUID, Row]
    entries: list[Row]
    starts: set[UUID]
    reports: list[Row]

    @classmethod
    def take(cls, operator: Operator) -> "Snapshot":
        row = operator.row(EVERYTHING) or {}
        by_id = {name: {UUID(key): value for key, value in row[name].items()} for name in list(row)[:3]}
        starts = {UUID(job_id) for job_id in row["starts"]}
        return cls(**by_id, entries=row["entries"], starts=starts, reports=row["reports"])

    def status(self, job_id: UUID) -> str | None:
        return self.jobs[job_id]["status"] if job_id in self.jobs else None


@dataclass(slots=True)
class History:
    """The accepted requests and the deleted generations, as the test recorded them."""

    requests: dict[UUID, tuple[UUID, Any]] = field(default_factory=dict)
    """Owner and input of every accepted id."""
    deleted_generations: set[UUID] = field(default_factory=set)


def check_moment(now: Snapshot, history: History) -> None:
    """Check that the ledger sums up to the balances, and check every accepted job.

    A job has one hold, and if it ended also one outcome and one generation.
    """
    balance = dict.fromkeys(now.accounts, 0)
    debt = dict.fromkeys(now.accounts, 0)
    booked: dict[UUID, list[Row]] = {}
    for entry in now.entries:
        balance[UUID(entry["user_id"])] += entry["amount"]
        debt[UUID(entry["user_id"])] += entry["owed"]
        if entry["job_id"]:
            booked.setdefault(UUID(entry["job_id"]), []).append(entry)
    assert balance == {user_id: account["credits"] for user_id, account in now.accounts.items()}
    assert debt == {user_id: account["owed"] for user_id, account in now.accounts.items()}
    assert all(min(balance[who], owed) == 0 <= max(balance[who], owed) for who, owed in debt.items())

    accepted = {job_id for job_id, (owner, _) in history.requests.items() if owner in now.accounts}
    assert set(booked) == accepted
    assert set(now.jobs) | set(now.generations) <= accepted
    assert all(history.requests[UUID(r["generation_id"])][0] == UUID(r["user_id"]) for r in now.reports)
    for job_id in accepted:
        check_job(job_id, booked[job_id], now, history)


def is_paid(account: Row) -> bool:
    until = account["paid_until"]
    return bool(account["is_paid"] or (until and datetime.fromisoformat(until) > datetime.now(UTC)))


def check_job(job_id: UUID, entries: list[Row], now: Snapshot, history: History) -> None:
    owner, asked = history.requests[job_id]
    job, generation = now.jobs.get(job_id), now.generations.get(job_id)
    kinds = [entry["kind"] for entry in entries]
    assert all(UUID(row["user_id"]) == owner for row in [*entries, job, generation] if row)
    assert all(row["input"] == asked for row in (job, generation) if row)
    if job and job["status"] not in ENDED:
        assert kinds == ["hold"] and generation is None
        return
    assert kinds in (["hold", "settle"], ["hold", "refund"])
    assert entries[1]["amount"] == (-entries[0]["amount"] if kinds[1] == "refund" else 0)
    for row in (job, generation):
        assert row is None or (row["status"] == "succeeded") == (kinds[1] == "settle")
    assert (generation is None) == (job_id in history.deleted_generations)
    if job:
        has_reached_provider = bool(job["submitted_at"] or job["failed_refs"])
        assert (job_id in now.starts) == (has_reached_provider and job["error_code"] in UNPAID)


def check_step(before: Snapshot, now: Snapshot) -> list[Arrow]:
    """Check one step, and return the transitions of it.

    Jobs make allowed transitions only, ended jobs never change, fences and versions grow, and the
    ledger gets longer.
    """
    taken = []
    for job_id, job in now.jobs.items():
        if (old := before.jobs.get(job_id)) is None:
            assert (job["status"], job["fence"], job["attempt"]) == ("queued", 0, 0)
        elif old["status"] in ENDED:
            assert job == old
        else:
            arrow = (old["status"], job["status"])
            assert arrow in ARROWS or arrow[0] == arrow[1]
            taken += [arrow] if arrow in ARROWS else []
            assert job["attempt"] - old["attempt"] in ATTEMPTS.get(arrow, {0})
            assert old["fence"] <= job["fence"] <= old["fence"] + 1
            is_seen = (old["status"], old["progress"]) != (job["status"], job["progress"])
            assert (
                old["updated_at"] < job["updated_at"] if is_seen else old["updated_at"] <= job["updated_at"]
            )
    for job_id, generation in now.generations.items():
        assert generation == before.generations.get(job_id, generation)
    gone = [entry for entry in before.entries if UUID(entry["user_id"]) not in now.accounts]
    kept = [entry for entry in before.entries if entry not in gone]
    assert now.entries[: len(kept)] == kept, json.dumps(now.entries)
    return taken
