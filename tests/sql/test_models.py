"""A model's row defines valid input; the database checks every request before it holds a credit."""

import json
import uuid
from functools import partial
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

from tests.support.actors import User, code_of_refusal, refused
from tests.support.all_actors import Actors

PROMPT = {"prompt": {"type": "string", "maxLength": 20}}
SCHEMA = {
    "type": "object",
    "required": ["prompt"],
    "properties": PROMPT
    | {
        "style": {"type": "string", "enum": ["oil", "ink"], "default": "oil"},
        "steps": {"type": "integer", "minimum": 1, "maximum": 4},
        "strength": {"type": "number", "minimum": 0, "maximum": 1},
        "seconds": {"type": "integer", "enum": [4, 6, 8]},
        "tiled": {"type": "boolean"},
        "image": {"type": "string", "format": "image"},
        "images": {
            "type": "array", "items": {"type": "string", "format": "image"}, "maxItems": 2, "x-order": 3
        },
    },
}  # fmt: skip
ADD = """
insert into private.models (id, title, cost, provider, provider_model, defaults, input_schema)
values (%s, 'Brush', 2, 'replicate', 'brushes/brush', %s, %s)
on conflict (id) do update set defaults = excluded.defaults, input_schema = excluded.input_schema
"""


def add_model(actors: Actors, schema: object = SCHEMA, defaults: object = {}, model: str = "brush") -> None:
    actors.operator.conn.execute(ADD, (model, Jsonb(defaults), Jsonb(schema)))


def request_of(actors: Actors, job_id: object) -> dict[str, Any]:
    row = actors.operator.row("select * from private.job_requests where job_id = %s", job_id)
    assert row is not None
    return row


def message_of_refusal(user: User, given: object, model: str = "brush") -> str:
    with pytest.raises(psycopg.Error) as refusal:
        user.enqueue(model=model, input=given)
    body = json.loads(str(refusal.value.diag.message_primary))
    assert body["code"] == "invalid_request"
    return str(body["message"])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, '"prompt" is missing.'),
        ({"prompt": " \n\t"}, '"prompt" is missing.'),
        ({"prompt": None}, '"prompt" is missing.'),
        ({"prompt": 7}, '"prompt" must be a text.'),
        ({"prompt": {"$env": "SECRET"}}, '"prompt" must be a text.'),
        ({"prompt": "é" * 21}, '"prompt" must have at most 20 characters.'),
        ({"prompt": "a", "PROMPT": "a"}, 'This model does not take "PROMPT".'),
        ({"prompt": "a", "": "a"}, 'This model does not take "".'),
        ({"prompt": "a", "x" * 99: 1}, f'This model does not take "{"x" * 50}".'),
        ({"prompt": "a", "style": "Oil"}, '"style" must be one of oil, ink.'),
        ({"prompt": "a", "style": None}, '"style" must be a text.'),
        ({"prompt": "a", "steps": 0}, '"steps" must be at least 1.'),
        ({"prompt": "a", "steps": 5}, '"steps" must be at most 4.'),
        ({"prompt": "a", "steps": 1.5}, '"steps" must be a whole number.'),
        ({"prompt": "a", "steps": "2"}, '"steps" must be a number.'),
        ({"prompt": "a", "steps": True}, '"steps" must be a number.'),
        ({"prompt": "a", "strength": -0.001}, '"strength" must be at least 0.'),
        ({"prompt": "a", "seconds": 5}, '"seconds" must be one of 4, 6, 8.'),
        ({"prompt": "a", "tiled": 1}, '"tiled" must be true or false.'),
        ({"prompt": "a", "images": "a.jpg"}, '"images" must be a list of photos.'),
        ({"prompt": "a", "images": [1]}, '"images" must be a list of photos.'),
        ({"prompt": "a", "images": [["a"]]}, '"images" must be a list of photos.'),
        ({"prompt": "a", "images": ["a", "b", "c"]}, '"images" must have at most 2 photos.'),
        ({"prompt": "a", "image": "https://example.com/a.jpg"}, '"image" must name a photo that you'),
        ({"prompt": "a", "image": ["a"]}, '"image" must be a text.'),
    ],
)
def test_an_input_that_a_model_does_not_take_is_refused_by_the_name_of_the_field(
    actors: Actors, user: User, given: object, message: str
) -> None:
    add_model(actors)
    assert message_of_refusal(user, given).startswith(message)
    assert actors.operator.credits(user.id) == 100


@pytest.mark.parametrize(
    ("model", "given", "named"),
    [
        ("preview", {"prompt": None}, "prompt"),
        ("preview", {"prompt": " \n"}, "prompt"),
        ("preview", {"prompt": 7}, "prompt"),
        ("preview", {"seconds": -1}, "seconds"),
        ("preview", {"seconds": "5"}, "seconds"),
        ("preview", {"seconds": True}, "seconds"),
        ("preview", {"num_outputs": 0}, "num_outputs"),
        ("preview", {"num_outputs": 5}, "num_outputs"),
        ("preview", {"num_outputs": True}, "num_outputs"),
        ("preview", {"num_outputs": "2"}, "num_outputs"),
        ("preview", {"seconds": 5, "num_outputs": 9}, "num_outputs"),
        ("preview", {"colour": "red"}, "colour"),
        ("preview-video", {"num_outputs": 2}, "num_outputs"),
        ("preview-text", {"image": "x"}, "image"),
    ],
)
def test_the_embedded_provider_gets_only_what_it_can_make(
    user: User, model: str, given: dict[str, object], named: str
) -> None:
    """The provider does not check its input; only the database does."""
    assert named in message_of_refusal(user, {"prompt": "a fox"} | given, model)


@pytest.mark.parametrize(
    "given",
    [
        {"prompt": "é" * 20},
        {"prompt": "a", "style": "ink", "steps": 4, "strength": 1e-9, "seconds": 8, "tiled": False},
        {"prompt": "a", "steps": 1, "strength": 1, "images": []},
    ],
)
def test_an_input_at_the_bounds_of_a_model_is_accepted(
    actors: Actors, user: User, given: dict[str, object]
) -> None:
    add_model(actors)
    answer = user.enqueue(model="brush", input=given)
    assert answer["job"]["input"] == given
    assert answer["credits"] == 98


@pytest.mark.parametrize(
    "given",
    [
        '{"prompt": 1e309}', '{"prompt": -1e5000}', '{"n": 1e100000}', '{"a": [{"b": 1e400}]}',
        '{"a": ' + "[" * 32 + "]" * 32 + "}", '{"a": ' + '{"a": ' * 40 + "1" + "}" * 41,
        '{"a": ' + "[" * 5000 + "]" * 5000 + "}",
    ],
)  # fmt: skip
def test_an_input_that_cannot_be_stored_and_read_again_is_refused_first(user: User, given: str) -> None:
    query = "select public.enqueue_generation(gen_random_uuid(), 'no model', %s::jsonb)"
    with refused(400, "invalid_request"):
        user.value(query, given)


@pytest.mark.parametrize("given", ['{"a": "\\u0000"}', '{"a": "\\ud800"}', '{"a": "\\udc00\\ud800"}'])
def test_postgres_itself_takes_no_nul_and_no_lone_surrogate(user: User, given: str) -> None:
    with pytest.raises(psycopg.DataError):
        user.value("select public.enqueue_generation(gen_random_uuid(), 'preview', %s::jsonb)", given)


def test_a_huge_input_or_name_of_a_model_is_refused_before_it_is_hashed(user: User) -> None:
    for model, given in (("preview", {"prompt": "x" * 300_000}), ("x" * 101, {"prompt": "x"})):
        with refused(413, "too_large"):
            user.enqueue(model=model, input=given)


def test_a_number_at_the_end_of_a_double_and_a_depth_of_31_pass_to_the_next_check(user: User) -> None:
    for given in ('{"n": 1.7976931348623157e308}', '{"a": ' + "[" * 31 + "]" * 31 + "}"):
        query = "select public.enqueue_generation(gen_random_uuid(), 'no model', %s::jsonb)"
        assert code_of_refusal(partial(user.value, query, given)) == "unknown_model"


@pytest.mark.parametrize(
    "schema",
    [
        None, [], "text", {}, {"type": "object"}, {"type": "array", "properties": {}},
        {"type": "object", "properties": []},
        {"type": "object", "properties": {}, "required": "prompt"},
        {"type": "object", "properties": {}, "required": ["prompt"]},
        {"type": "object", "properties": {}, "additionalProperties": False},
        *({"type": "object", "properties": {"a": rule}} for rule in (
            None, "string", {}, {"type": "object"}, {"type": ["string"]}, {"type": "string", "format": "uri"},
            {"type": "string", "minLength": 1}, {"type": "string", "pattern": "a"}, {"type": "string", "maxItems": 1},
            {"type": "string", "maxLength": "9"}, {"type": "string", "enum": "a"}, {"type": "string", "default": 1},
            {"type": "string", "enum": ["a"], "default": "b"}, {"type": "integer", "default": 1.5},
            {"type": "integer", "maximum": 1, "default": 2}, {"type": "number", "multipleOf": 2},
            {"type": "boolean", "enum": [True]}, {"type": "array"},
            {"type": "array", "items": {"type": "string"}}, {"type": "array", "items": {"type": "object"}},
        )),
    ],
)  # fmt: skip
def test_a_schema_that_would_not_be_held_is_refused_when_the_row_is_written(
    actors: Actors, schema: object
) -> None:
    with pytest.raises((psycopg.errors.CheckViolation, psycopg.errors.NotNullViolation)) as refusal:
        add_model(actors, schema, model="strange")
    if schema is not None:
        assert "The input_schema of the model strange cannot be used: " in str(refusal.value)


@pytest.mark.parametrize("name", ["api_key", "openai_api_key", "hf_token", "SECRET", "password"])
def test_a_secret_is_named_and_not_written_into_the_row(actors: Actors, name: str) -> None:
    with pytest.raises(psycopg.errors.CheckViolation, match="looks like a secret") as refusal:
        add_model(actors, defaults={name: "sk-123"}, model="strange")
    assert "sk-123" not in str(refusal.value).partition("CONTEXT")[0]
    add_model(actors, defaults={name: {"$env": "OPENAI_API_KEY"}, "max_tokens": 7, "keyframes": "auto"})


def test_a_job_is_asked_for_the_users_choice_over_the_defaults(actors: Actors, user: User) -> None:
    add_model(actors, defaults={"steps": 1, "format": "png", "token": {"$env": "NAME"}})
    job_id = user.job(model="brush", input={"prompt": "a", "steps": 3})
    asked = request_of(actors, job_id)
    assert (asked["provider"], asked["provider_model"]) == ("replicate", "brushes/brush")
    assert asked["provider_input"] == {
        "prompt": "a", "steps": 3, "format": "png", "token": {"$env": "NAME"}
    }  # fmt: skip


@pytest.mark.parametrize("maximum", [None, 2**31 - 1, 65535, 0])
def test_a_model_that_takes_a_seed_gets_one_that_no_other_job_has(
    actors: Actors, user: User, maximum: int | None
) -> None:
    rule: dict[str, object] = {"type": "integer"} | ({} if maximum is None else {"maximum": maximum})
    add_model(actors, {"type": "object", "properties": PROMPT | {"seed": rule}})
    seeds = [request_of(actors, user.job(model="brush"))["provider_input"]["seed"] for _ in range(9)]
    assert all(0 <= seed <= (2**31 - 1 if maximum is None else maximum) for seed in seeds)
    assert len(set(seeds)) > 6 or maximum == 0
    chosen = user.job(model="brush", input={"prompt": "a", "seed": 0})
    assert request_of(actors, chosen)["provider_input"]["seed"] == 0
    add_model(actors, {"type": "object", "properties": PROMPT | {"seed": rule}}, {"seed": 5})
    assert request_of(actors, user.job(model="brush"))["provider_input"]["seed"] == 5


def test_the_same_id_is_the_same_job_after_the_model_has_changed_in_every_way(
    actors: Actors, user: User
) -> None:
    add_model(actors)
    first = user.enqueue(model="brush", input={"prompt": "a", "steps": 4})
    job_id = uuid.UUID(first["job"]["id"])
    before = request_of(actors, job_id)
    actors.operator.conn.execute(
        "update private.models set enabled = false, cost = 50, provider = 'preview', provider_model = null,"
        " defaults = '{}', input_schema = default, timeout = '1 s', max_attempts = 1 where id = 'brush'"
    )
    assert user.enqueue(job_id, model="brush", input={"prompt": "a", "steps": 4}) == first
    claimed = actors.worker.claim(job_id)
    assert claimed is not None
    assert (claimed["provider"], claimed["provider_model"]) == ("replicate", "brushes/brush")
    assert (claimed["max_attempts"], json.loads(claimed["request"])) == (3, before["provider_input"])
    assert claimed["seconds_left"] > 800


def test_a_paid_user_pays_for_a_model_that_is_not_included(actors: Actors) -> None:
    add_model(actors)
    user = actors.user(credits=3, is_paid=True)
    assert user.enqueue(model="brush", input={"prompt": "a"})["credits"] == 1
    assert user.enqueue(model="preview")["credits"] == 1
    with refused(402, "insufficient_credits"):
        user.enqueue(model="brush", input={"prompt": "a"})


def test_a_subscription_is_no_open_wallet(actors: Actors) -> None:
    actors.operator.configure(max_paid_jobs_per_day=3)
    user = actors.user(credits=5, is_paid=True)
    jobs = [user.job() for _ in range(3)]
    with refused(429, "too_many_jobs", **{"Retry-After": "3600"}):
        user.enqueue()
    assert user.enqueue(jobs[0])["credits"] == 5, "a known request is still answered"
    add_model(actors)
    assert user.enqueue(model="brush", input={"prompt": "a"})["credits"] == 3, (
        "what it pays for is not bounded"
    )
    actors.operator.conn.execute("update public.credit_entries set created_at = now() - interval '25 hours'")
    user.job()


@pytest.mark.parametrize("status", ["queued", "running", "waiting", "succeeded"])
def test_a_model_with_jobs_is_not_deleted_and_the_refusal_says_to_disable_it(
    actors: Actors, user: User, status: str
) -> None:
    job_id, _ = actors.job(user, status)
    with pytest.raises(psycopg.errors.ForeignKeyViolation) as refusal:
        actors.operator.conn.execute("delete from private.models where id = 'preview'")
    assert "cannot be deleted" in str(refusal.value)
    assert "set enabled = false" in str(refusal.value.diag.message_hint)
    assert actors.operator.status(job_id) == status


def test_a_model_without_jobs_can_be_deleted(actors: Actors) -> None:
    add_model(actors, model="unused")
    assert actors.operator.conn.execute("delete from private.models where id = 'unused'").rowcount == 1


def test_a_pruned_job_takes_its_request_with_it_and_its_model_can_go(actors: Actors, user: User) -> None:
    add_model(actors, model="gone")
    job_id = user.job(model="gone", input={"prompt": "a"})
    user.cancel(job_id)
    assert actors.operator.prune() == 1
    assert actors.operator.rows("select from private.job_requests") == []
    actors.operator.conn.execute("delete from private.models where id = 'gone'")
    assert user.status(job_id)[0]["status"] == "canceled"


@pytest.mark.parametrize("change", ["provider = 'preview'", "enabled = false"])
@pytest.mark.parametrize("ending", ["cancel", "deadline", "delete the account"])
def test_a_prediction_is_canceled_where_it_runs_whatever_the_model_says_now(
    actors: Actors, user: User, change: str, ending: str
) -> None:
    add_model(actors)
    job_id = user.job(model="brush", input={"prompt": "a"})
    assert actors.worker.wait(job_id, actors.worker.claimed(job_id), "ref-1")
    actors.operator.conn.execute(
        f"update private.models set {change} where id = 'brush'".encode(),  # noqa: S608
    )
    match ending:
        case "cancel":
            user.cancel(job_id)
        case "deadline":
            actors.operator.pass_deadline(job_id)
            actors.bridge.rescue()
        case "delete the account":
            actors.operator.delete_user(user.id)
    kept = actors.operator.rows("select provider, provider_ref, job_id from private.provider_cancellations")
    assert kept == [{"provider": "replicate", "provider_ref": "ref-1", "job_id": job_id}]


def test_a_queued_job_keeps_the_rate_limit_of_its_own_provider(actors: Actors, user: User) -> None:
    add_model(actors)
    new = user.job(model="brush", input={"prompt": "a"})
    again = user.job(model="brush", input={"prompt": "a"})
    fence = actors.worker.claimed(again)
    actors.operator.conn.execute("update private.models set provider = 'preview' where id = 'brush'")
    actors.worker.retry(again, fence)
    later = user.job(model="brush", input={"prompt": "a"})
    limits = [actors.operator.job(job_id)["rate_limited_by"] for job_id in (new, again, later)]
    assert limits == ["replicate", "replicate", None]
