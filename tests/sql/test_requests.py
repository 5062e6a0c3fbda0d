"""One id is one request, permanently and for all users; a refused request gets a stable code."""

import json
import uuid
from uuid import UUID

import psycopg
import pytest

from tests.support.actors import ENDED, User, Visitor, refused
from tests.support.all_actors import Actors


def test_the_same_request_again_gets_the_same_answer_and_is_charged_once(actors: Actors) -> None:
    user = actors.user(credits=10)
    first = user.enqueue()
    assert first["credits"] == 9
    assert user.enqueue(UUID(first["job"]["id"])) == first
    assert actors.session(user.id).enqueue(UUID(first["job"]["id"])) == first
    assert len(actors.operator.rows("select from public.jobs")) == 1


@pytest.mark.parametrize("status", ENDED)
def test_an_ended_request_gets_the_same_answer_permanently(actors: Actors, user: User, status: str) -> None:
    job_id, _ = actors.job(user, status)
    ended = user.enqueue(job_id)
    assert ended["job"]["status"] == ended["job"]["generation"]["status"] == status
    assert actors.operator.prune() == 1
    assert user.enqueue(job_id) == ended
    assert user.cancel(job_id) == ended
    assert user.status(job_id) == [ended["job"]]
    assert actors.operator.ledger(job_id) == [
        ("hold", -1),
        ("settle", 0) if status == "succeeded" else ("refund", 1),
    ]


@pytest.mark.parametrize("status", ENDED)
def test_an_id_is_remembered_when_job_and_generation_are_both_gone(
    actors: Actors, user: User, status: str
) -> None:
    job_id, _ = actors.job(user, status)
    before = user.enqueue(job_id)
    assert user.delete_generation(job_id)
    assert user.enqueue(job_id) == {**before, "job": {**before["job"], "generation": None}}
    actors.operator.prune()
    for answer in (user.enqueue(job_id), user.cancel(job_id)):
        assert answer["credits"] == before["credits"]
        assert answer["job"] == answer["job"] | {"id": str(job_id), "status": status, "generation": None}
    assert user.status(job_id) == []


def test_a_known_request_is_answered_whatever_the_rules_have_become(actors: Actors) -> None:
    user = actors.user(credits=1)
    first = user.enqueue()
    actors.operator.configure(max_unfinished_jobs=1, max_input_bytes=1)
    with actors.operator.conn.transaction(force_rollback=True):
        actors.operator.conn.execute("update private.models set enabled = false, cost = 7")
        actors.operator.conn.execute(
            "select set_config('request.jwt.claims', %s, true)", (json.dumps({"sub": str(user.id)}),)
        )
        again = actors.operator.value(
            "select public.enqueue_generation(%s, 'preview', %s)",
            first["job"]["id"],
            json.dumps(first["job"]["input"]),
        )
        assert again == first


@pytest.mark.parametrize(
    "changed", [{"input": {"prompt": "a dog"}}, {"input": {}}, {"model": "another"}, {"model": "preview\n{}"}]
)
@pytest.mark.parametrize("is_pruned", [False, True])
def test_the_same_id_for_another_request_is_a_conflict(
    actors: Actors, user: User, changed: dict[str, object], is_pruned: bool
) -> None:
    job_id, _ = actors.job(user, "succeeded")
    if is_pruned:
        actors.operator.prune()
        user.delete_generation(job_id)
    with refused(409, "id_conflict"):
        user.enqueue(job_id, **changed)  # type: ignore[arg-type]


@pytest.mark.parametrize("is_pruned", [False, True])
def test_the_id_of_another_user_is_a_conflict_and_reveals_nothing(
    actors: Actors, user: User, is_pruned: bool
) -> None:
    job_id, _ = actors.job(user, "succeeded")
    stranger = actors.user(credits=10)
    if is_pruned:
        actors.operator.prune()
        user.delete_generation(job_id)
    with refused(409, "id_conflict"):
        stranger.enqueue(job_id)
    with refused(404, "unknown_job"):
        stranger.cancel(job_id)
    assert stranger.status(job_id) == []
    assert actors.operator.credits(stranger.id) == 10


def test_a_conflict_reads_the_same_for_the_owner_of_the_id_and_a_stranger(actors: Actors, user: User) -> None:
    job_id = user.job()
    told = []
    for asker, request in ((user, {"prompt": "a dog"}), (actors.user(), {"prompt": "a fox in the snow"})):
        with pytest.raises(psycopg.Error) as error:
            asker.enqueue(job_id, input=request)
        told.append((error.value.diag.message_primary, error.value.diag.message_detail))
    assert told[0] == told[1]


def test_the_order_of_keys_makes_no_other_request(actors: Actors, user: User) -> None:
    first = user.enqueue(input={"prompt": "a fox", "seconds": 1})
    assert user.enqueue(UUID(first["job"]["id"]), input={"seconds": 1, "prompt": "a fox"}) == first


@pytest.mark.parametrize(
    ("job_id", "model", "given"),
    [
        ("null", "'preview'", "'{}'"),
        ("gen_random_uuid()", "null", "'{}'"),
        ("gen_random_uuid()", "'preview'", "null"),
        ("gen_random_uuid()", "'preview'", "'[]'"),
        ("gen_random_uuid()", "'preview'", "'null'"),
        ("gen_random_uuid()", "'preview'", "'\"text\"'"),
    ],
)
def test_half_a_request_is_refused(user: User, job_id: str, model: str, given: str) -> None:
    with refused(400, "invalid_request"):
        user.value(f"select public.enqueue_generation({job_id}, {model}, {given})")


def test_an_input_may_be_16_kilobytes_and_not_one_byte_more(actors: Actors, user: User) -> None:
    actors.operator.conn.execute(
        "insert into private.models (id, title, cost, provider, input_schema) values ('long', 'Long', 1, 'preview',"
        ' \'{"type": "object", "properties": {"prompt": {"type": "string"}}}\')'
    )
    frame = len('{"prompt": ""}')
    answer = user.enqueue(model="long", input={"prompt": "é" * ((16384 - frame) // 2)})
    assert answer["job"]["status"] == "queued"
    with refused(413, "too_large"):
        user.enqueue(model="long", input={"prompt": "x" * (16384 - frame + 1)})


def test_an_unknown_model_is_refused(actors: Actors, user: User) -> None:
    with refused(404, "unknown_model"):
        user.enqueue(model="another")


def test_a_disabled_model_is_refused_and_not_listed(actors: Actors, user: User) -> None:
    actors.operator.conn.execute(
        "insert into private.models (id, title, cost, provider, enabled) values ('old', 'Old', 1, 'preview', false)"
        " on conflict do nothing"
    )
    with refused(404, "unknown_model"):
        user.enqueue(model="old")
    listed = user.value("select public.list_models()")["models"]
    assert "old" not in {model["id"] for model in listed}
    (preview,) = [model for model in listed if model["id"] == "preview"]
    assert sorted(preview) == [
        "cost", "description", "id", "included", "input_schema", "kind", "title"
    ]  # fmt: skip
    assert (preview["title"], preview["kind"], preview["cost"]) == ("Preview", "image", 1)


def test_too_many_unfinished_jobs_are_refused_with_the_time_to_come_back(actors: Actors) -> None:
    user = actors.user()
    actors.operator.configure(max_unfinished_jobs=3)
    running, _waiting, queued = actors.job(user, "running"), actors.job(user, "waiting"), user.job()
    with refused(429, "too_many_jobs", **{"Retry-After": "5"}):
        user.job()
    assert actors.user().enqueue()["job"]["status"] == "queued", "the bound is each user's own"
    user.cancel(queued)
    user.job()
    actors.worker.complete(*running)
    user.job()
    with refused(429, "too_many_jobs", **{"Retry-After": "5"}):
        user.job()


def test_a_caller_without_a_session_is_told_so(actors: Actors) -> None:
    user = actors.user()
    user.conn.execute("select set_config('request.jwt.claims', '', false)")
    for call in (
        "enqueue_generation(gen_random_uuid(), 'preview', '{}')",
        "cancel_generation(gen_random_uuid())",
        "get_job_status('{}')",
        "read_gallery(null, null, '{}')",
    ):
        with refused(401, "unauthenticated"):
            user.value(f"select public.{call}")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        actors.another(Visitor).value("select public.list_models()")


def test_a_token_that_outlived_its_account_opens_nothing(actors: Actors, user: User) -> None:
    actors.operator.delete_user(user.id)
    with refused(401, "unauthenticated"):
        user.enqueue()


def test_status_tells_of_own_jobs_and_leaves_the_others_out(actors: Actors, user: User) -> None:
    mine, ended, theirs = user.job(), actors.job(user, "failed")[0], actors.user().job()
    asked = user.status(mine, theirs, ended, uuid.uuid4(), mine)
    assert {UUID(job["id"]): job["status"] for job in asked} == {mine: "queued", ended: "failed"}
    assert len(asked) == 2


def test_status_answers_for_at_most_50_ids(user: User) -> None:
    assert user.status(*[uuid.uuid4() for _ in range(50)]) == []
    assert user.status() == []
    with refused(400, "invalid_request"):
        user.status(*[uuid.uuid4() for _ in range(51)])
    with refused(400, "invalid_request"):
        user.value("select public.get_job_status(null)")
    assert user.value("select public.get_job_status(array[null]::uuid[])") == {"jobs": []}


def test_a_job_tells_its_owner_all_of_the_contract_and_nothing_of_the_machine(
    actors: Actors, user: User
) -> None:
    running, fence = actors.job(user, "running")
    actors.worker.renew(running, fence, progress=0.5)
    (job,) = user.status(running)
    assert sorted(job) == [
        "created_at", "error", "generation", "id", "input", "model", "progress", "status", "updated_at"
    ]  # fmt: skip
    assert (job["model"], job["progress"], job["error"], job["generation"]) == ("preview", 0.5, None, None)
    actors.worker.complete(running, fence)
    (job,) = user.status(running)
    assert sorted(job["generation"]) == ["created_at", "error", "id", "input", "model", "output", "status"]


def test_a_retried_job_shows_no_error_while_it_is_still_tried(actors: Actors, user: User) -> None:
    job_id, fence = actors.job(user, "running")
    actors.worker.retry(job_id, fence)
    assert user.status(job_id)[0]["error"] is None


def test_updated_at_grows_with_every_change_even_when_the_clock_was_set_back(
    actors: Actors, user: User
) -> None:
    job_id = user.job()
    actors.operator.move(job_id, updated_at="now() + interval '1 hour'")
    seen = [user.status(job_id)[0]["updated_at"]]
    fence = actors.worker.claimed(job_id)
    seen.append(user.status(job_id)[0]["updated_at"])
    actors.worker.renew(job_id, fence, progress=0.5)
    seen.append(user.status(job_id)[0]["updated_at"])
    actors.worker.complete(job_id, fence)
    seen.append(user.status(job_id)[0]["updated_at"])
    assert seen == sorted(set(seen))
