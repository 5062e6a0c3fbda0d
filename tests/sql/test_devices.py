"""Devices that get a push: a token has one owner, a user has five, and old ones are removed."""

import pytest

from tests.sql.race import racing
from tests.support.actors import User, refused
from tests.support.all_actors import Actors


def token(name: object) -> str:
    return f"ExponentPushToken[{name}]"


def tokens(actors: Actors, user: User) -> set[str]:
    return {
        row["token"]
        for row in actors.operator.rows("select token from private.devices where user_id = %s", user.id)
    }


def pushed(actors: Actors, user: User, status: str = "succeeded") -> list[str]:
    job_id, _ = actors.job(user, status)
    rows = actors.worker.rows("select private.devices_of_job(%s) as token", job_id)
    return [row["token"] for row in rows]


def age(actors: Actors, name: str, interval: str) -> None:
    actors.operator.conn.execute(
        "update private.devices set seen_at = now() - %s::interval where token = %s", (interval, token(name))
    )


@pytest.mark.parametrize("good", ["ExponentPushToken[a-B_9]", "ExpoPushToken[xyz]"])
@pytest.mark.parametrize("platform", ["ios", "android"])
def test_a_device_is_pushed_to(actors: Actors, user: User, good: str, platform: str) -> None:
    user.register(good, platform)
    user.register(good, platform)
    assert pushed(actors, user) == pushed(actors, user, "failed") == [good]


@pytest.mark.parametrize("status", ["queued", "running", "waiting", "canceled"])
def test_nothing_is_pushed_of_a_job_that_is_not_over_or_was_canceled(
    actors: Actors, user: User, status: str
) -> None:
    user.register(token("mine"))
    assert pushed(actors, user, status) == []


@pytest.mark.parametrize(
    ("bad", "platform"),
    [
        (None, "ios"), ("", "ios"), ("abc", "ios"), ("ExponentPushToken[]", "ios"), (token("a b"), "ios"),
        (token("a") + "\n", "ios"), (token("x" * 101), "ios"), (token("ok"), "web"), (token("ok"), None),
        (token('","to":"x'), "ios"),
    ],
)  # fmt: skip
def test_a_malformed_token_of_expo_is_refused(
    actors: Actors, user: User, bad: str | None, platform: str | None
) -> None:
    with refused(400, "invalid_request"):
        user.register(bad, platform)
    assert tokens(actors, user) == set()


def test_a_token_belongs_to_the_last_user_who_registered_it(actors: Actors, user: User) -> None:
    second = actors.user()
    user.register(token("phone"))
    second.register(token("phone"))
    assert (pushed(actors, user), pushed(actors, second)) == ([], [token("phone")])


def test_a_user_who_signs_out_is_pushed_to_no_longer(actors: Actors, user: User) -> None:
    for name in ("phone", "tablet"):
        user.register(token(name))
    for _ in range(2):
        user.unregister(token("phone"))
    assert pushed(actors, user) == [token("tablet")]


@pytest.mark.parametrize("name", [None, "", "unknown", token("phone")])
def test_only_an_own_token_is_unregistered(actors: Actors, user: User, name: str | None) -> None:
    user.register(token("phone"))
    actors.user().unregister(name)
    assert pushed(actors, user) == [token("phone")]


def test_a_user_has_the_five_devices_seen_last(actors: Actors, user: User) -> None:
    for number in (0, 1, 2, 3, 4, 0, 5, 6):
        user.register(token(number))
    assert tokens(actors, user) == {token(number) for number in (0, 3, 4, 5, 6)}


def test_a_device_not_seen_for_60_days_gets_nothing_and_goes(actors: Actors, user: User) -> None:
    second = actors.user()
    user.register(token("old"))
    age(actors, "old", "61 days")
    assert pushed(actors, user) == []
    second.register(token("other"))
    assert tokens(actors, user) == set()
    user.register(token("young"))
    age(actors, "young", "59 days")
    second.register(token("other"))
    assert pushed(actors, user) == [token("young")]


def test_a_refused_token_is_forgotten(actors: Actors, user: User) -> None:
    for name in "abc":
        user.register(token(name))
    actors.worker.value("select private.forget_devices(%s)", [token("a"), token("b"), token("unknown")])
    assert pushed(actors, user) == [token("c")]


def test_registrations_at_the_same_moment_leave_five_a_user_and_one_owner_a_token(actors: Actors) -> None:
    users = [actors.user() for _ in range(2)]
    sessions = [actors.session(users[n % 2].id) for n in range(6)]
    with racing(6) as start:
        for turn in range(15):
            start(*(lambda s=s, n=(turn + n) % 7: s.register(token(n)) for n, s in enumerate(sessions)))
            assert all(len(tokens(actors, user)) <= 5 for user in users)
            actors.operator.conn.execute(
                "update private.devices set seen_at = now() - random() * interval '1 day'"
            )
