"""Uploads to Storage: the bucket and its policy accept a user's photos, and nothing else."""

import http.client
import uuid
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from storage3.exceptions import StorageApiError
from storage3.types import FileOptions

from local.stack import Stack
from tests.gateway.conftest import ClientUser

JPEG: FileOptions = {"content-type": "image/jpeg"}
STORAGE = "/storage/v1/object"


def upload(user: ClientUser, path: str, content: bytes = b"photo", options: FileOptions = JPEG) -> str:
    """Upload a photo, and return its path or the status of the error."""
    try:
        return user.client.storage.from_("inputs").upload(path, content, options).path
    except StorageApiError as error:
        return str(error.status)


def photo_of(user: ClientUser) -> str:
    return f"{user.id}/{uuid.uuid4()}.jpg"


def test_a_photo_is_uploaded_once_read_by_its_owner_and_named_in_a_request(
    user: ClientUser, stranger: ClientUser
) -> None:
    path = photo_of(user)
    assert upload(user, path) == path
    assert upload(user, path, b"another") == "409", "a repeated upload changes nothing"
    assert upload(user, path, b"another", {**JPEG, "upsert": "true"}) in ("403", "409")
    assert user.client.storage.from_("inputs").download(path) == b"photo"
    with pytest.raises(StorageApiError):
        stranger.client.storage.from_("inputs").download(path)
    request = {"p_id": str(uuid.uuid4()), "p_model": "preview", "p_input": {"prompt": "a", "image": path}}
    accepted: Any = user.client.rpc("enqueue_generation", request).execute().data
    assert accepted["job"]["input"]["image"] == path
    with pytest.raises(Exception, match="must name a photo"):
        stranger.client.rpc("enqueue_generation", request | {"p_id": str(uuid.uuid4())}).execute()


@pytest.mark.parametrize(
    "path",
    [
        lambda me, you: photo_of(you),
        lambda me, you: f"{me.id}/{uuid.uuid4()}.html",
        lambda me, you: f"{me.id}/{you.id}/{uuid.uuid4()}.jpg",
        lambda me, you: f"{me.id}/a.jpg",
        lambda me, you: f"{uuid.uuid4()}.jpg",
    ],
)
def test_no_other_place_takes_a_photo(
    user: ClientUser, stranger: ClientUser, path: Callable[[ClientUser, ClientUser], str]
) -> None:
    assert upload(user, path(user, stranger)) == "403"


def test_dot_segments_lead_nowhere(user: ClientUser, stranger: ClientUser, gateway: Stack) -> None:
    """The test sends the dots unchanged: a client of ours would resolve them."""
    headers = user.headers | {"content-type": "image/jpeg"}
    for dots in ("..", "%2e%2e"):
        connection = http.client.HTTPConnection("127.0.0.1", gateway.gateway_port)
        path = f"{STORAGE}/inputs/{user.id}/{dots}/{photo_of(stranger)}"
        connection.request("POST", path, b"x", headers)
        assert connection.getresponse().status >= 400
        connection.close()


@pytest.mark.parametrize(
    ("content", "mime", "status"),
    [
        (b"<script>", "text/html", "415"),
        (b"<svg/>", "image/svg+xml", "415"),
        (b"x" * 10_485_761, "image/jpeg", "413"),
    ],
)
def test_the_bucket_takes_photos_of_at_most_10_mb(
    user: ClientUser, content: bytes, mime: str, status: str
) -> None:
    assert upload(user, photo_of(user), content, {"content-type": mime}) == status


def test_a_user_removes_no_photo(user: ClientUser) -> None:
    path = photo_of(user)
    upload(user, path)
    assert user.client.storage.from_("inputs").remove([path]) == []
    assert user.client.storage.from_("inputs").download(path) == b"photo"


def test_after_forty_photos_a_day_and_after_its_account_a_token_uploads_nothing(
    user: ClientUser, stranger: ClientUser, gateway: Stack
) -> None:
    assert all(upload(user, path) == path for path in [photo_of(user) for _ in range(40)])
    assert upload(user, photo_of(user)) == "403"
    with psycopg.connect(gateway.database_url) as conn:
        conn.execute("delete from auth.users where id = %s", (stranger.id,))
    assert upload(stranger, photo_of(stranger)) == "403"
