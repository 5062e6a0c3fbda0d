"""Limits on unpaid work: jobs that are refused late, the starts of a day, and prompts."""

import json
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import psycopg
import pytest
from psycopg.types.json import Jsonb

from tests.sql.race import racing
from tests.support.actors import Row, User, code_of_refusal, refused
from tests.support.all_actors import Actors

BUSY = {"Retry-After": "3600"}
LIMIT = """
insert into private.provider_limits (provider, starts_per_minute, starts_per_day, anonymous_starts_per_day)
values ('preview', 600000, %s, %s)
"""


@pytest.fixture(autouse=True)
def no_budget(actors: Actors) -> Iterator[None]:
    yield
    actors.operator.conn.execute("delete from private.provider_limits where provider = 'preview'")


def limit(actors: Actors, starts: int | None, anonymous: int | None = None) -> None:
    actors.operator.conn.execute(LIMIT, (starts, anonymous))


def change_limit(actors: Actors, change: str) -> None:
    update = f"update private.provider_limits set {change} where provider = 'preview'"  # noqa: S608
    actors.operator.conn.execute(update.encode())


def submit(actors: Actors, user: User) -> tuple[uuid.UUID, int]:
    """Create a job whose provider was called; return its id and fence."""
    job_id = user.job()
    fence = actors.worker.claimed(job_id)
    assert actors.worker.record_submission(job_id, fence)
    return job_id, fence


def cancel_late(actors: Actors, user: User) -> None:
    """Cancel a job at 85 %, when the picture is nearly paid for."""
    job_id, fence = submit(actors, user)
    actors.worker.renew(job_id, fence, progress=0.85)
    user.cancel(job_id)
    assert actors.worker.fail(job_id, fence, "canceled")


def cancel_at_start(actors: Actors, user: User) -> None:
    job_id, fence = submit(actors, user)
    assert actors.worker.wait(job_id, fence, f"ref-{job_id}")
    user.cancel(job_id)


def cancel_between_attempts(actors: Actors, user: User) -> None:
    job_id, fence = submit(actors, user)
    assert actors.worker.wait(job_id, fence, f"ref-{job_id}")
    assert actors.worker.retry(job_id, actors.worker.claimed(job_id))
    user.cancel(job_id)


def refused_late(code: str) -> Callable[[Actors, User], None]:
    def loop(actors: Actors, user: User) -> None:
        assert actors.worker.fail(*submit(actors, user), code)

    return loop


LOOPS = {
    "cancel at 85 %": cancel_late,
    "cancel at start": cancel_at_start,
    "cancel between attempts": cancel_between_attempts,
    **{code: refused_late(code) for code in ("content_rejected", "invalid_input", "provider_rejected")},
}


def repeat(
    actors: Actors, user: User, loop: Callable[[Actors, User], None], most: int
) -> tuple[int, str | None]:
    """The number of completed loops, and the code that ended them."""
    for times in range(most):
        code = code_of_refusal(lambda: loop(actors, user))
        if code is not None:
            return times, code
    return most, None


@pytest.mark.parametrize("name", LOOPS)
def test_a_loop_that_costs_us_and_not_the_user_ends_after_60_a_day(
    actors: Actors, user: User, name: str
) -> None:
    assert repeat(actors, user, LOOPS[name], 100) == (60, "too_many_failures")
    assert actors.operator.credits(user.id) == 100
    stranger = actors.user()
    assert stranger.job()


def test_side_by_side_a_user_gets_no_further_than_what_may_be_under_way(actors: Actors, user: User) -> None:
    for _ in range(59):
        cancel_at_start(actors, user)
    under_way = [submit(actors, user) for _ in range(20)]
    for job_id, fence in under_way:
        assert actors.worker.fail(job_id, fence, "content_rejected")
    assert code_of_refusal(user.job) == "too_many_failures"
    count = "select count(*) from private.unsuccessful_starts where user_id = %s"
    assert actors.operator.value(count, user.id) == 60 + 20 - 1


def test_the_user_is_told_when_the_next_try_is_accepted(actors: Actors, user: User) -> None:
    actors.operator.configure(max_unsuccessful_per_day=2)
    add = "insert into private.unsuccessful_starts values (gen_random_uuid(), %s, now() - %s::interval)"
    for age in ("25 hours", "23 hours", "5 hours"):
        assert code_of_refusal(user.job) is None
        actors.operator.conn.execute(add, (user.id, age))
    wait = actors.operator.value("select private.seconds_until_next_try(%s, 2)", user.id)
    assert 3000 < wait <= 3600  # until the start of 23 hours ago is a day old
    with pytest.raises(psycopg.Error) as error:
        user.job()
    answer = json.loads(str(error.value.diag.message_detail))
    assert answer["status"] == 429 and 3000 < int(answer["headers"]["Retry-After"]) <= 3600


@pytest.mark.parametrize("code", ["provider_unavailable", "timed_out", "worker_lost", "internal"])
def test_our_faults_and_the_providers_count_against_no_user(actors: Actors, user: User, code: str) -> None:
    actors.operator.configure(max_unsuccessful_per_day=1)
    assert repeat(actors, user, refused_late(code), 5) == (5, None)


def test_a_job_that_never_reached_the_provider_does_not_count(actors: Actors, user: User) -> None:
    actors.operator.configure(max_unsuccessful_per_day=1)
    for _ in range(3):
        user.cancel(user.job())
        job_id = user.job()
        assert actors.worker.fail(job_id, actors.worker.claimed(job_id), "invalid_input")
    assert user.job()


def test_a_success_does_not_count_and_a_prune_forgets_nothing(actors: Actors, user: User) -> None:
    actors.operator.configure(max_unsuccessful_per_day=1)
    assert actors.worker.complete(*submit(actors, user))
    cancel_at_start(actors, user)
    actors.operator.prune()
    assert code_of_refusal(user.job) == "too_many_failures"


def test_a_known_request_is_answered_beyond_every_bound(actors: Actors, user: User) -> None:
    actors.operator.configure(max_unsuccessful_per_day=1)
    first = user.enqueue()
    cancel_at_start(actors, user)
    limit(actors, 0)
    actors.operator.conn.execute("insert into private.prompt_filter values ('fox')")
    assert user.enqueue(uuid.UUID(first["job"]["id"]))["job"] == first["job"]


def test_only_a_bounded_part_of_a_users_past_is_read(actors: Actors, user: User) -> None:
    insert = """
      insert into private.unsuccessful_starts (job_id, user_id)
      select gen_random_uuid(), %s from generate_series(1, 20000)
    """
    actors.operator.conn.execute(insert, (user.id,))
    actors.operator.conn.execute("analyze private.unsuccessful_starts")
    plan = actors.operator.value(
        "explain (analyze, format json) select ended_at from private.unsuccessful_starts"
        " where user_id = %s and ended_at > now() - interval '24 hours'"
        " order by ended_at desc offset 59 limit 1",
        user.id,
    )
    scan = plan[0]["Plan"]["Plans"][0]
    assert scan["Actual Rows"] == 60 and "Index" in scan["Node Type"]


# The budget of all accounts together.


def test_a_farm_of_anonymous_accounts_starts_no_more_than_the_budget(actors: Actors) -> None:
    limit(actors, 50, 12)
    codes: list[str | None] = []
    for _ in range(20):
        bot = actors.user(credits=5, is_anonymous=True)
        codes.append(repeat(actors, bot, cancel_at_start, 3)[1])
        actors.free.append(bot)
    assert codes == [None] * 4 + ["unavailable"] * 16
    assert starts(actors) == {"starts": 12, "anonymous_starts": 12}
    cancel_at_start(actors, actors.user())
    assert starts(actors) == {"starts": 13, "anonymous_starts": 12}


def starts(actors: Actors) -> Row | None:
    return actors.operator.row("select starts, anonymous_starts from private.starts_today('preview')")


def test_beyond_the_budget_everybody_is_told_to_come_back(actors: Actors, user: User) -> None:
    limit(actors, 1)
    cancel_at_start(actors, user)
    with refused(503, "unavailable", **BUSY):
        user.job()
    assert actors.operator.credits(user.id) == 100


def test_every_attempt_is_a_start(actors: Actors, user: User) -> None:
    limit(actors, None)
    job_id, fence = submit(actors, user)
    assert actors.worker.retry(job_id, fence)
    fence = actors.worker.claimed(job_id)
    assert actors.worker.record_submission(job_id, fence)
    assert not actors.worker.record_submission(job_id, fence)
    assert starts(actors) == {"starts": 2, "anonymous_starts": 0}


def test_a_provider_without_a_limit_is_not_counted(actors: Actors, user: User) -> None:
    submit(actors, user)
    assert starts(actors) is None


def test_one_update_stops_what_waits_and_what_comes_and_another_lets_it_go(
    actors: Actors, user: User
) -> None:
    limit(actors, None)
    job_id = user.job()
    change_limit(actors, "starts_per_day = 0")
    assert actors.bridge.dispatch() == []
    with refused(503, "unavailable", **BUSY):
        user.job()
    assert actors.operator.status(job_id) == "queued"
    change_limit(actors, "starts_per_day = 10, paused_until = now()")
    assert actors.bridge.dispatch() == [job_id]


def test_a_job_that_the_budget_kept_until_its_deadline_says_that_the_provider_is_busy(
    actors: Actors, user: User
) -> None:
    limit(actors, 0)
    change_limit(actors, "starts_per_day = 1")
    job_id = user.job()
    change_limit(actors, "starts_per_day = 0")
    actors.bridge.dispatch()
    actors.operator.pass_deadline(job_id)
    assert actors.bridge.rescue() == {job_id: "failed"}
    assert actors.operator.job(job_id)["error_code"] == "provider_unavailable"


def test_a_bridge_without_budget_does_not_look_again_at_once(actors: Actors, user: User) -> None:
    limit(actors, None)
    user.job()
    change_limit(actors, "starts_per_day = 0")
    row = actors.bridge.row("select * from private.dispatch_jobs(100, 100)")
    assert row is not None and row["next_due_in"].total_seconds() > 50


def test_starts_at_the_same_moment_are_all_counted(actors: Actors) -> None:
    limit(actors, None)
    users = [actors.user(is_anonymous=number % 2 == 0) for number in range(8)]
    claims = [(job_id := user.job(), actors.worker.claimed(job_id)) for user in users]
    workers = [actors.another(type(actors.worker)) for _ in users]
    with racing(8) as start:
        assert all(
            start(*(lambda w=w, c=c: w.record_submission(*c) for w, c in zip(workers, claims, strict=True)))
        )
    assert starts(actors) == {"starts": 8, "anonymous_starts": 4}


def test_status_names_a_budget_from_80_percent_on(actors: Actors, user: User) -> None:
    limit(actors, 5)
    seen = []
    for _ in range(5):
        cancel_at_start(actors, user)
        rows = actors.bridge.rows("select * from private.operator_status()")
        seen += [(row["value"], row["problem"]) for row in rows if row["item"] == "starts of preview today"]
    assert seen == [
        ("1 of 5", None), ("2 of 5", None), ("3 of 5", None), ("4 of 5", "over 80 % of the budget"),
        ("5 of 5", "the budget is used: requests are refused"),
    ]  # fmt: skip


# The filter of prompts.


@pytest.mark.parametrize(
    ("prompt", "is_refused"),
    [
        ("a fox", False),
        ("a forbidden fox", True),
        ("FORBIDDEN!", True),
        ("for\nbidden", False),
        ("an unforbidden fox", False),
        ("in two,  Words: here", True),
        ("two and words", False),
        ("\uff46\uff4f\uff52\uff42\uff49\uff44\uff44\uff45\uff4e", True),  # full-width letters
        ("ein süßes ding", True),
    ],
)
def test_a_prompt_with_a_word_of_the_filter_is_refused_before_the_hold(
    actors: Actors, user: User, prompt: str, is_refused: bool
) -> None:
    words = ("forbidden", "two words", "süßes")
    actors.operator.conn.cursor().executemany(
        "insert into private.prompt_filter values (%s)", [(word,) for word in words]
    )
    code = code_of_refusal(lambda: user.job(input={"prompt": prompt}))
    assert code == ("content_rejected" if is_refused else None)
    assert actors.operator.credits(user.id) == (100 if is_refused else 99)
    if is_refused:
        with refused(422, "content_rejected"):
            user.job(input={"prompt": prompt})


def test_an_empty_filter_refuses_nothing(user: User) -> None:
    assert user.job(input={"prompt": "anything"})


def test_every_text_of_an_input_is_read(actors: Actors) -> None:
    actors.operator.conn.execute("insert into private.prompt_filter values ('bad')")
    for given in ({"a": {"b": ["bad"]}}, {"a": "ok", "b": "so bad"}, {"bad": 1}):
        found = actors.operator.value("select private.is_refused_prompt(%s)", Jsonb(given))
        assert found is ("bad" not in given)


def test_a_day_is_that_of_utc(actors: Actors, user: User) -> None:
    limit(actors, None)
    submit(actors, user)
    day = actors.operator.value("select day from private.provider_starts where provider = 'preview'")
    assert abs((day - datetime.now(UTC).date()).days) <= 1
