"""Every job is paid for once or not at all, and the balance is the sum of the ledger."""

from collections.abc import Callable
from uuid import UUID

import psycopg
import pytest

from tests.support.actors import User, refused
from tests.support.all_actors import Actors


def lost(actors: Actors, job_id: UUID) -> None:
    for _ in range(3):
        actors.worker.claimed(job_id)
        actors.operator.lose_worker(job_id)
        actors.bridge.rescue()


def late(actors: Actors, job_id: UUID) -> None:
    actors.operator.pass_deadline(job_id)
    actors.bridge.rescue()


def canceled_while_running(actors: Actors, job_id: UUID, user: User) -> None:
    fence = actors.worker.claimed(job_id)
    user.cancel(job_id)
    actors.worker.fail(job_id, fence, "canceled", "")


def retried(actors: Actors, job_id: UUID) -> None:
    for _ in range(2):
        actors.worker.retry(job_id, actors.worker.claimed(job_id))
    actors.worker.complete(job_id, actors.worker.claimed(job_id))


PATHS: dict[str, tuple[Callable[[Actors, UUID, User], object], str]] = {
    "completed": (
        lambda actors, job_id, _: actors.worker.complete(job_id, actors.worker.claimed(job_id)),
        "settle",
    ),
    "completed at the third attempt": (lambda actors, job_id, _: retried(actors, job_id), "settle"),
    "failed": (lambda actors, job_id, _: actors.worker.fail(job_id, actors.worker.claimed(job_id)), "refund"),
    "canceled in the queue": (lambda actors, job_id, user: user.cancel(job_id), "refund"),
    "canceled while running": (canceled_while_running, "refund"),
    "past its deadline": (lambda actors, job_id, _: late(actors, job_id), "refund"),
    "its workers lost": (lambda actors, job_id, _: lost(actors, job_id), "refund"),
}


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("is_paid", [False, True])
def test_a_job_costs_its_price_if_it_succeeded_and_nothing_otherwise(
    actors: Actors, path: str, is_paid: bool
) -> None:
    user = actors.user(credits=10, is_paid=is_paid)
    cost = 0 if is_paid else 1
    job_id = user.job()
    assert actors.operator.credits(user.id) == 10 - cost

    go, outcome = PATHS[path]
    go(actors, job_id, user)
    spent = cost if outcome == "settle" else 0
    assert actors.operator.ledger(job_id) == [("hold", -cost), (outcome, 0 if outcome == "settle" else cost)]
    assert actors.operator.credits(user.id) == 10 - spent
    assert actors.operator.rows("select * from private.ledger_mismatches()") == []


def test_a_refund_is_as_large_as_the_hold_even_if_the_cost_has_changed(actors: Actors) -> None:
    user = actors.user(credits=10)
    job_id = user.job()
    actors.service.conn.execute(
        "update public.entitlements set is_paid = true where user_id = %s", (user.id,)
    )
    with actors.operator.conn.transaction(force_rollback=True):
        actors.operator.conn.execute("update private.models set cost = 7, enabled = false")
        user_at_home = actors.operator
        user_at_home.conn.execute(
            "select set_config('request.jwt.claims', %s, true)", (f'{{"sub": "{user.id}"}}',)
        )
        user_at_home.value("select public.cancel_generation(%s)", job_id)
        assert actors.operator.credits(user.id) == 10


def test_a_user_is_never_below_zero(actors: Actors) -> None:
    user = actors.user(credits=1)
    user.job()
    with refused(402, "insufficient_credits"):
        user.job()
    assert actors.operator.credits(user.id) == 0


def test_a_paid_user_needs_no_credits(actors: Actors) -> None:
    user = actors.user(credits=1, is_paid=True)
    for _ in range(3):
        assert user.enqueue()["credits"] == 1


def test_a_job_cannot_be_settled_and_refunded(actors: Actors, user: User) -> None:
    job_id, _ = actors.job(user, "succeeded")
    with pytest.raises(psycopg.errors.UniqueViolation) as violation:
        actors.operator.value("select private.post_entry(%s, 'refund', 1, 'twice', %s)", user.id, job_id)
    assert violation.value.diag.constraint_name == "credit_entries_one_outcome_per_job"


def test_a_job_cannot_be_held_for_twice(actors: Actors, user: User) -> None:
    job_id = user.job()
    with pytest.raises(psycopg.errors.UniqueViolation) as violation:
        actors.operator.value(
            "select private.post_entry(%s, 'hold', -1, 'twice', %s, p_fingerprint => '')", user.id, job_id
        )
    assert violation.value.diag.constraint_name == "credit_entries_one_hold_per_job"


@pytest.mark.parametrize(
    ("constraint", "entry"),
    [
        ("amounts_have_the_sign_of_their_kind", "'grant', 0, 'r', null, 'ref', null"),
        ("amounts_have_the_sign_of_their_kind", "'hold', 1, 'r', gen_random_uuid(), null, ''"),
        ("amounts_have_the_sign_of_their_kind", "'settle', -1, 'r', gen_random_uuid(), null, null"),
        ("amounts_have_the_sign_of_their_kind", "'refund', -1, 'r', gen_random_uuid(), null, null"),
        ("only_jobs_are_held_for", "'refund', 1, 'r', null, null, null"),
        ("only_jobs_are_held_for", "'grant', 1, 'r', gen_random_uuid(), null, null"),
        ("only_holds_are_receipts", "'hold', -1, 'r', gen_random_uuid(), null, null"),
        ("reasons_are_short", "'grant', 1, '', null, null, null"),
        ("external_refs_are_short", "'grant', 1, 'r', null, '', null"),
    ],
)
def test_an_illegal_entry_is_impossible(actors: Actors, user: User, constraint: str, entry: str) -> None:
    with pytest.raises(psycopg.errors.CheckViolation) as violation:
        actors.operator.value(f"select private.post_entry(%s, {entry})", user.id)
    assert violation.value.diag.constraint_name == constraint


def test_a_grant_is_booked_once_however_often_it_is_told(actors: Actors) -> None:
    user = actors.user(credits=10)
    assert [actors.service.grant(user.id, 5, "receipt-1") for _ in range(3)] == [15, 15, 15]
    assert actors.service.grant(user.id, 5, "receipt-2") == 20
    assert user.value("select credits from public.entitlements") == 20


def test_one_receipt_is_one_grant_to_one_user(actors: Actors, user: User) -> None:
    actors.service.grant(user.id, 5, "receipt")
    with refused(409, "id_conflict"):
        actors.service.grant(user.id, 6, "receipt")
    with refused(409, "id_conflict"):
        actors.service.grant(actors.user().id, 5, "receipt")


@pytest.mark.parametrize(
    ("amount", "ref", "reason"),
    [
        (0, "r", "r"),
        (-1, "r", "r"),
        (None, "r", "r"),
        (1, "", "r"),
        (1, None, "r"),
        (1, "r", ""),
        (1, "r", None),
    ],
)
def test_half_a_grant_is_refused(
    actors: Actors, user: User, amount: int | None, ref: str | None, reason: str | None
) -> None:
    with refused(400, "invalid_request"):
        actors.service.grant(user.id, amount, ref, reason)


def test_no_grant_leaves_too_little_room_for_a_refund(actors: Actors) -> None:
    user = actors.user(credits=10)
    with refused(400, "invalid_request"):
        actors.service.grant(user.id, 2**31 - 1, "receipt")
    assert actors.service.grant(user.id, 1_000_000_000 - 10, "receipt") == 1_000_000_000
    job_id, fence = actors.job(user, "running")
    with refused(400, "invalid_request"):
        actors.service.grant(user.id, 2, "another")
    actors.worker.fail(job_id, fence)
    assert actors.operator.credits(user.id) == 1_000_000_000


def test_a_grant_to_an_unknown_user_is_refused(actors: Actors) -> None:
    with refused(404, "unknown_user"):
        actors.service.grant(UUID(int=1), 5, "receipt")


def test_a_new_user_starts_with_credits_and_an_anonymous_one_with_fewer(actors: Actors) -> None:
    person, anonymous = actors.operator.add_user(), actors.operator.add_user(is_anonymous=True)
    assert (actors.operator.credits(person), actors.operator.credits(anonymous)) == (10, 5)
    assert actors.operator.rows(
        "select kind, amount, reason, external_ref from public.credit_entries where user_id = %s", person
    ) == [{"kind": "grant", "amount": 10, "reason": "starter", "external_ref": f"starter:{person}"}]


def test_the_starter_grant_is_a_setting_and_may_be_none(actors: Actors) -> None:
    actors.operator.configure(starter_credits=3, anonymous_starter_credits=0)
    person, anonymous = actors.operator.add_user(), actors.operator.add_user(is_anonymous=True)
    assert (actors.operator.credits(person), actors.operator.credits(anonymous)) == (3, 0)


def test_an_account_is_opened_once(actors: Actors) -> None:
    person = actors.operator.add_user()
    actors.operator.value("select private.open_account(%s, false)", person)
    actors.operator.conn.execute("update auth.users set is_anonymous = true where id = %s", (person,))
    assert actors.operator.credits(person) == 10
