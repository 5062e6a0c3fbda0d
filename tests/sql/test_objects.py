"""The photos that a request may name, and when stored objects are removed, or never."""

import uuid
from collections.abc import Callable
from uuid import UUID

import pytest
from psycopg.types.json import Jsonb

from tests.sql.test_models import add_model, message_of_refusal
from tests.support.actors import User, refused
from tests.support.all_actors import Actors

ADD_OBJECT = """
insert into storage.objects (bucket_id, name, metadata, created_at) values (%s, %s, %s, now() - %s::interval)
"""
UUID_OF_A_PHOTO = "aaaaaaaa-0000-4000-8000-000000000001"


def store(
    actors: Actors,
    path: str,
    *,
    bucket: str = "inputs",
    mime: str = "image/jpeg",
    size: int = 1000,
    age: str = "0",
) -> str:
    actors.operator.conn.execute(ADD_OBJECT, (bucket, path, Jsonb({"mimetype": mime, "size": size}), age))
    return path


def photo(actors: Actors, user: User, **how: str) -> str:
    return store(actors, f"{user.id}/{uuid.uuid4()}.jpg", **how)  # type: ignore[arg-type]


def output_of(actors: Actors, user: User, *, thumb: str | None = None) -> tuple[UUID, str]:
    """A generation of the user, with its stored picture."""
    job_id = user.job()
    path = store(actors, f"{user.id}/{job_id}/0.png", bucket="generations", mime="image/png")
    output = [{"kind": "image", "path": path, "thumb": thumb}]
    assert actors.worker.complete(job_id, actors.worker.claimed(job_id), output)
    return job_id, path


def to_remove(actors: Actors, limit: int = 100) -> set[str]:
    """The objects that a worker gets for removal now; the next call returns them again."""
    actors.operator.conn.execute("update private.removed_objects set remove_at = now()")
    return {row["path"] for row in actors.worker.rows("select * from private.objects_to_remove(%s)", limit)}


@pytest.fixture
def artist(actors: Actors, user: User) -> User:
    add_model(actors)
    return user


def test_a_photo_and_a_picture_of_ones_own_are_accepted_and_remembered(actors: Actors, artist: User) -> None:
    _, picture = output_of(actors, artist)
    first, second = photo(actors, artist), photo(actors, artist)
    given = {"prompt": "a", "image": picture, "images": [first, second]}
    job_id = artist.job(model="brush", input=given)
    assert set(actors.operator.job(job_id)["input_paths"]) == {picture, first, second}
    claimed = actors.worker.claim(job_id)
    assert claimed is not None and set(claimed["input_paths"]) == {picture, first, second}
    assert actors.worker.fail(job_id, claimed["fence"])
    generation = actors.operator.generation(job_id)
    assert generation is not None
    assert set(generation["input_paths"]) == {picture, first, second}
    assert generation["input"] == given


Path = Callable[[UUID, UUID], str]


@pytest.mark.parametrize(
    "path",
    [
        lambda me, you: f"{you}/{UUID_OF_A_PHOTO}.jpg",
        lambda me, you: f"{me}/{you}/{UUID_OF_A_PHOTO}.jpg",
        lambda me, you: f"{me}/../{you}/{UUID_OF_A_PHOTO}.jpg",
        lambda me, you: f"{me}/./{UUID_OF_A_PHOTO}.jpg",
        lambda me, you: f"/{me}/{UUID_OF_A_PHOTO}.jpg",
        lambda me, you: f"{me}//{UUID_OF_A_PHOTO}.jpg",
        lambda me, you: f"{me}/{UUID_OF_A_PHOTO}.html",
        lambda me, you: f"{me}/{UUID_OF_A_PHOTO}.jpg\n",
        lambda me, you: f"{me}/{UUID_OF_A_PHOTO}.jpg/",
        lambda me, you: f"{me}/{UUID_OF_A_PHOTO.upper()}.jpg",
        lambda me, you: f"{str(me).upper()}/{UUID_OF_A_PHOTO}.jpg",
        lambda me, you: f"{you}/{UUID_OF_A_PHOTO}/0.png",
        lambda me, you: f"{me}/{UUID_OF_A_PHOTO}/0-thumb.webp",
        lambda me, you: f"{me}/{UUID_OF_A_PHOTO}/0.mp4",
        lambda me, you: f"{me}/%2e%2e/{you}/{UUID_OF_A_PHOTO}.jpg",
        lambda me, you: "",
        lambda me, you: f"{me}/",
    ],
)
def test_a_path_that_is_not_exactly_ones_own_is_refused_although_something_lies_there(
    actors: Actors, artist: User, path: Path
) -> None:
    stranger = actors.user()
    named = path(artist.id, stranger.id)
    for bucket in ("inputs", "generations"):
        store(actors, named, bucket=bucket)
    for given in ({"prompt": "a", "image": named}, {"prompt": "a", "images": [named]}):
        assert "must name a photo that you uploaded" in message_of_refusal(artist, given)
    assert actors.operator.credits(artist.id) == 100


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"mime": "text/html"}, "must be a JPEG, PNG or WebP"),
        ({"mime": "image/svg+xml"}, "must be a JPEG, PNG or WebP"),
        ({"size": 10485761}, "must have at most 10 MB"),
    ],
)
def test_an_uploaded_file_must_be_a_photo_of_at_most_10_mb(
    actors: Actors, artist: User, changes: dict[str, str], message: str
) -> None:
    assert message in message_of_refusal(artist, {"prompt": "a", "image": photo(actors, artist, **changes)})


def test_a_photo_that_is_not_there_or_about_to_go_is_refused(actors: Actors, artist: User) -> None:
    missing = f"{artist.id}/{UUID_OF_A_PHOTO}.jpg"
    assert "is not there" in message_of_refusal(artist, {"prompt": "a", "image": missing})
    job_id, picture = output_of(actors, artist)
    artist.delete_generation(job_id)
    assert "is not there" in message_of_refusal(artist, {"prompt": "a", "image": picture})


UPLOAD = "insert into storage.objects (bucket_id, name) values (%s, %s)"


def upload(user: User, path: str, bucket: str = "inputs") -> bool:
    from psycopg.errors import InsufficientPrivilege

    try:
        user.conn.execute(UPLOAD, (bucket, path))
    except InsufficientPrivilege:
        return False
    return True


def test_a_user_uploads_photos_under_exact_names_of_the_own_folder(actors: Actors, user: User) -> None:
    stranger = actors.user()
    for extension in ("jpg", "png", "webp"):
        assert upload(user, f"{user.id}/{uuid.uuid4()}.{extension}")
    for path in (
        f"{stranger.id}/{uuid.uuid4()}.jpg", f"{user.id}/{uuid.uuid4()}.html", f"{user.id}/{uuid.uuid4()}.jpeg",
        f"{user.id}/photo.jpg", f"{user.id}/a/{uuid.uuid4()}.jpg", f"{user.id}/../{stranger.id}/{uuid.uuid4()}.jpg",
        f"{uuid.uuid4()}.jpg", f"{user.id}/{uuid.uuid4()}.jpg\n", f"x{user.id}/{uuid.uuid4()}.jpg",
    ):  # fmt: skip
        assert not upload(user, path), path
    assert not upload(user, f"{user.id}/{uuid.uuid4()}.jpg", "generations")


def test_a_user_changes_and_deletes_no_photo(actors: Actors, user: User) -> None:
    path = photo(actors, user)
    assert user.conn.execute("update storage.objects set name = 'x' where name = %s", (path,)).rowcount == 0
    user.conn.execute("select set_config('storage.allow_delete_query', 'true', false)")
    assert user.conn.execute("delete from storage.objects where name = %s", (path,)).rowcount == 0
    assert user.value("select count(*) from storage.objects") == 1
    assert actors.user().value("select count(*) from storage.objects") == 0


def test_forty_photos_a_day_are_enough(actors: Actors, user: User) -> None:
    for _ in range(40):
        photo(actors, user, age="25 hours")
    assert all(upload(user, f"{user.id}/{uuid.uuid4()}.jpg") for _ in range(40))
    assert not upload(user, f"{user.id}/{uuid.uuid4()}.jpg")
    stranger = actors.user()
    assert upload(stranger, f"{stranger.id}/{uuid.uuid4()}.jpg"), "the number is each user's own"


def test_a_token_that_outlived_its_account_uploads_nothing(actors: Actors, user: User) -> None:
    actors.operator.delete_user(user.id)
    assert not upload(user, f"{user.id}/{uuid.uuid4()}.jpg")


def test_a_deleted_generation_takes_its_output_thumbnail_and_photo_with_it(
    actors: Actors, artist: User
) -> None:
    path = photo(actors, artist)
    job_id = artist.job(model="brush", input={"prompt": "a", "image": path})
    files = [f"{artist.id}/{job_id}/0.png", f"{artist.id}/{job_id}/0-thumb.webp"]
    output = [{"kind": "image", "path": files[0], "thumb": files[1]}, {"kind": "text", "text": "a"}]
    assert actors.worker.complete(job_id, actors.worker.claimed(job_id), output)
    assert to_remove(actors) == set()
    artist.delete_generation(job_id)
    assert to_remove(actors) == {path, *files}


def test_a_removed_object_is_listed_once_and_a_remaining_one_again(actors: Actors, artist: User) -> None:
    job_id, picture = output_of(actors, artist)
    artist.delete_generation(job_id)
    tell = "select path from private.objects_to_remove(10)"
    assert [row["path"] for row in actors.worker.rows(tell)] == [picture]
    assert actors.worker.rows(tell) == [], "another worker has a minute"
    assert to_remove(actors) == {picture}, "the worker died: it is told again"
    actors.worker.rows("select private.objects_removed('inputs', %s)", [picture])
    assert to_remove(actors) == {picture}, "that was another bucket"
    actors.worker.rows("select private.objects_removed('generations', %s)", [picture])
    assert to_remove(actors) == set()


def test_a_photo_of_two_generations_goes_with_the_second(actors: Actors, artist: User) -> None:
    path = photo(actors, artist)
    jobs = [artist.job(model="brush", input={"prompt": "a", "image": path}) for _ in range(2)]
    for job_id in jobs:
        assert actors.worker.fail(job_id, actors.worker.claimed(job_id))
    artist.delete_generation(jobs[0])
    assert to_remove(actors) == set()
    artist.delete_generation(jobs[1])
    assert to_remove(actors) == {path}


@pytest.mark.parametrize("status", ["queued", "running", "waiting"])
def test_a_photo_that_an_unfinished_job_needs_is_kept_until_it_ends(
    actors: Actors, artist: User, status: str
) -> None:
    generation, picture = output_of(actors, artist)
    job_id = artist.job(model="brush", input={"prompt": "a", "image": picture})
    fence = actors.worker.claimed(job_id) if status != "queued" else 0
    if status == "waiting":
        assert actors.worker.wait(job_id, fence, "ref")
    artist.delete_generation(generation)
    assert to_remove(actors) == set()
    if status == "queued":
        artist.cancel(job_id)
    else:
        assert actors.worker.fail(job_id, fence if status == "running" else actors.worker.claimed(job_id))
    assert to_remove(actors) == {picture}


@pytest.mark.parametrize("ending", ["failed", "canceled", "timed out"])
def test_files_of_a_job_without_success_are_removed(actors: Actors, artist: User, ending: str) -> None:
    job_id = artist.job()
    fence = actors.worker.claimed(job_id)
    stored = store(actors, f"{artist.id}/{job_id}/0.png", bucket="generations")
    other = store(actors, f"{artist.id}/{uuid.uuid4()}/0.png", bucket="generations")
    match ending:
        case "failed":
            actors.worker.fail(job_id, fence)
        case "canceled":
            actors.worker.fail(job_id, fence, "canceled")
        case "timed out":
            actors.operator.pass_deadline(job_id)
            actors.bridge.rescue()
    assert to_remove(actors) == {stored}
    late = store(actors, f"{artist.id}/{job_id}/1.png", bucket="generations")
    actors.worker.value("select private.discard_outputs(%s, %s)", artist.id, job_id)
    assert to_remove(actors) == {stored, late}
    assert other not in to_remove(actors)


def test_a_worker_that_lost_its_job_discards_nothing_that_the_winner_needs(
    actors: Actors, artist: User
) -> None:
    shown, picture = output_of(actors, artist)
    running = artist.job()
    actors.worker.claimed(running)
    store(actors, f"{artist.id}/{running}/0.png", bucket="generations")
    for job_id in (shown, running):
        actors.worker.value("select private.discard_outputs(%s, %s)", artist.id, job_id)
    assert to_remove(actors) == set()
    extra = store(actors, f"{artist.id}/{shown}/7.png", bucket="generations")
    actors.worker.value("select private.discard_outputs(%s, %s)", artist.id, shown)
    assert to_remove(actors) == {extra}
    assert picture not in to_remove(actors)


def test_an_account_takes_all_of_its_objects_with_it_and_none_of_others(actors: Actors, artist: User) -> None:
    _, kept = output_of(actors, actors.user())
    gone = {
        output_of(actors, artist)[1],
        photo(actors, artist),
        store(actors, f"{artist.id}/{uuid.uuid4()}/0.png", bucket="generations"),
    }
    actors.operator.delete_user(artist.id)
    assert to_remove(actors) == gone
    assert kept not in gone


def sweep(actors: Actors, limit: int = 100) -> int | None:
    value = actors.worker.value("select private.sweep_unreferenced_objects('0 s', %s)", limit)
    return None if value is None else int(value)


def test_the_sweep_finds_what_no_row_names_in_both_buckets_and_nothing_else(
    actors: Actors, artist: User
) -> None:
    generation, shown = output_of(actors, artist)
    used = photo(actors, artist, age="2 days")
    artist.job(model="brush", input={"prompt": "a", "image": used})
    running = artist.job()
    store(actors, f"{artist.id}/{running}/0.png", bucket="generations", age="2 days")
    store(actors, "readme.txt", bucket="generations", age="2 days")
    photo(actors, artist)  # uploaded a moment ago: its request may still follow
    unused = photo(actors, artist, age="25 hours")
    lost = store(actors, f"{artist.id}/{generation}/1.png", bucket="generations")
    while sweep(actors, 2) is not None and actors.operator.value(
        "select last_path from private.object_sweep"
    ):
        pass
    assert to_remove(actors) == {unused, lost}
    assert shown not in to_remove(actors)


def test_hand_made_requests_name_no_photo_of_another_through_a_list(actors: Actors, artist: User) -> None:
    stranger = actors.user()
    mine, theirs = photo(actors, artist), photo(actors, stranger)
    with refused(400, "invalid_request"):
        artist.enqueue(model="brush", input={"prompt": "a", "images": [mine, theirs]})
