"""Storage enforces its policies, through supabase-py and on the wire."""

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import psycopg
import pytest
from storage3.exceptions import StorageApiError
from storage3.types import FileOptions
from supabase import Client

from local.gateway import keys
from local.stack import Stack
from tests.gateway.conftest import ClientUser

PNG: FileOptions = {"content-type": "image/png"}
STORAGE = "/storage/v1/object"


@pytest.fixture
def path(user: ClientUser) -> str:
    return f"{user.id}/{uuid.uuid4()}/0.png"


@pytest.fixture
def stored(admin: Client, path: str) -> str:
    admin.storage.from_("generations").upload(path, b"first", PNG)
    return path


@pytest.fixture
def open_bucket(gateway: Stack) -> Iterator[str]:
    """A bucket where every user may do everything in their own folder."""
    name = f"open-{uuid.uuid4()}"
    with psycopg.connect(gateway.database_url) as conn:
        conn.execute("insert into storage.buckets (id, name, public) values (%s, %s, false)", (name, name))
        conn.execute("""
          drop policy if exists "own folder" on storage.objects;
          create policy "own folder" on storage.objects to authenticated
          using (bucket_id like 'open-%' and (storage.foldername(name))[1] = (select auth.uid())::text);
        """)
    yield name
    with psycopg.connect(gateway.database_url) as conn:
        conn.execute("""drop policy "own folder" on storage.objects""")


def upload(wire: httpx.Client, headers: dict[str, str], path: str, data: bytes) -> Any:
    return wire.post(
        f"{STORAGE}/{path}", headers={"content-type": "image/png"} | headers, content=data
    ).json()


def files_of(gateway: Stack) -> set[str]:
    return {file.name for file in (gateway.folder / "storage").iterdir()}


def versions_in(gateway: Stack) -> set[str]:
    with psycopg.connect(gateway.database_url) as conn:
        return {uuid.UUID(version).hex for (version,) in conn.execute("select version from storage.objects")}


def id_of(gateway: Stack, path: str) -> object:
    with psycopg.connect(gateway.database_url) as conn:
        return conn.execute("select id from storage.objects where name = %s", (path,)).fetchone()


def test_an_owner_reads_what_the_worker_stored(admin: Client, user: ClientUser, path: str) -> None:
    data = bytes(range(256)) * 1000
    answer = admin.storage.from_("generations").upload(
        path, data, {**PNG, "cache-control": "60", "upsert": "true"}
    )
    assert answer.path == path
    assert user.client.storage.from_("generations").download(path) == data


def test_a_download_says_what_it_is(wire: httpx.Client, user: ClientUser, stored: str) -> None:
    answer = wire.get(f"{STORAGE}/authenticated/generations/{stored}", headers=user.headers)
    assert (answer.headers["content-type"], answer.headers["cache-control"]) == ("image/png", "max-age=3600")
    again = user.headers | {"if-none-match": answer.headers["etag"]}
    assert wire.get(f"{STORAGE}/generations/{stored}", headers=again).status_code == 304
    part = wire.get(f"{STORAGE}/generations/{stored}", headers=user.headers | {"range": "bytes=1-2"})
    assert (part.status_code, part.content) == (206, b"ir")


def test_a_stranger_finds_no_trace(
    gateway: Stack, stranger: ClientUser, user: ClientUser, stored: str
) -> None:
    bucket = stranger.client.storage.from_("generations")
    for attempt in (bucket.download, lambda path: bucket.create_signed_url(path, 60)):
        with pytest.raises(StorageApiError) as refusal:
            attempt(stored)
        assert (refusal.value.status, refusal.value.code) == ("404", "not_found")
    assert bucket.remove([stored]) == []
    (signed,) = bucket.create_signed_urls([stored], 60)
    assert signed["signedURL"] is None and signed["error"]
    assert user.client.storage.from_("generations").download(stored) == b"first"


@pytest.mark.parametrize("upsert", ["false", "true"])
def test_a_user_stores_nothing_not_even_in_the_own_folder(
    gateway: Stack, wire: httpx.Client, user: ClientUser, path: str, upsert: str
) -> None:
    for headers in (user.headers, {"apikey": gateway.publishable_key}):
        answer = wire.post(
            f"{STORAGE}/generations/{path}",
            headers={"content-type": "image/png", "x-upsert": upsert} | headers,
            content=b"x",
        )
        assert (answer.status_code, answer.json()["statusCode"], answer.json()["error"]) == (
            400,
            "403",
            "Unauthorized",
        )


def test_an_owner_replaces_and_removes_nothing(user: ClientUser, stored: str) -> None:
    bucket = user.client.storage.from_("generations")
    with pytest.raises(StorageApiError) as refusal:
        bucket.upload(stored, b"second", {**PNG, "upsert": "true"})
    assert refusal.value.status == "403"
    assert bucket.remove([stored]) == []
    assert bucket.download(stored) == b"first"


def test_the_same_key_again_is_a_duplicate_unless_it_may_replace(
    admin: Client, gateway: Stack, stored: str
) -> None:
    bucket = admin.storage.from_("generations")
    with pytest.raises(StorageApiError) as refusal:
        bucket.upload(stored, b"second", PNG)
    assert (refusal.value.status, refusal.value.code) == ("409", "Duplicate")
    assert bucket.download(stored) == b"first"
    before = id_of(gateway, stored)
    bucket.upload(stored, b"second", {**PNG, "upsert": "true"})
    assert bucket.download(stored) == b"second"
    assert id_of(gateway, stored) == before
    assert files_of(gateway) == versions_in(gateway)


def test_removing_removes_row_and_bytes(admin: Client, gateway: Stack, stored: str) -> None:
    bucket = admin.storage.from_("generations")
    assert [gone["name"] for gone in bucket.remove([stored, "unknown"])] == [stored]
    with pytest.raises(StorageApiError, match="Object not found"):
        bucket.download(stored)
    assert files_of(gateway) == versions_in(gateway)


def test_a_signed_url_opens_one_object_to_everybody(
    wire: httpx.Client, user: ClientUser, admin: Client, stored: str
) -> None:
    admin.storage.from_("generations").upload(other := stored.replace("0.png", "1.png"), b"other", PNG)
    signed = user.client.storage.from_("generations").create_signed_url(stored, 60)["signedURL"]
    assert signed is not None and wire.get(signed).content == b"first"
    for moved in (signed.replace("0.png", "1.png"), signed[:-5] + "AAAAA", signed.partition("?")[0]):
        answer = wire.get(moved)
        assert (answer.status_code, answer.json()["statusCode"]) == (400, "400")
    many = user.client.storage.from_("generations").create_signed_urls([other, "unknown"], 60)
    assert [link["signedURL"] is None for link in many] == [False, True]
    assert many[0]["signedURL"] is not None and wire.get(many[0]["signedURL"]).content == b"other"


def test_a_signed_url_expires_and_is_no_access_token(
    gateway: Stack, wire: httpx.Client, user: ClientUser, stored: str
) -> None:
    address = f"generations/{stored}"
    expired = keys.sign(gateway, {"url": address}, seconds=-1)
    assert wire.get(f"{STORAGE}/sign/{address}", params={"token": expired}).status_code == 400
    user_token = user.headers["authorization"].removeprefix("Bearer ")
    assert wire.get(f"{STORAGE}/sign/{address}", params={"token": user_token}).status_code == 400
    link = keys.sign(gateway, {"url": address}, seconds=60)
    headers = user.headers | {"authorization": f"Bearer {link}"}
    assert wire.get(f"{STORAGE}/{address}", headers=headers).json()["statusCode"] == "403"


@pytest.mark.parametrize(
    ("name", "data", "mime", "error"),
    [
        ("0.png", b"x", "text/html", ("415", "invalid_mime_type")),
        ("0.png", b"x" * 52_428_801, "image/png", ("413", "Payload too large")),
        ("ü.png", b"x", "image/png", ("400", "InvalidKey")),
        ("%00.png", b"x", "image/png", ("400", "InvalidKey")),
        ("x" * 2000, b"x", "image/png", ("400", "InvalidKey")),
    ],
    ids=["type", "size", "letter", "nul", "length"],
)
def test_a_file_that_a_bucket_does_not_take_is_refused(
    gateway: Stack, wire: httpx.Client, name: str, data: bytes, mime: str, error: tuple[str, str]
) -> None:
    headers = {"apikey": gateway.secret_key, "content-type": mime}
    answer = wire.post(f"{STORAGE}/generations/{uuid.uuid4()}/{name}", headers=headers, content=data)
    assert answer.status_code == 400
    assert (answer.json()["statusCode"], answer.json()["error"]) == error


def test_an_unknown_bucket_is_not_found(admin: Client) -> None:
    with pytest.raises(StorageApiError) as refusal:
        admin.storage.from_("unknown").upload("a.png", b"x", PNG)
    assert refusal.value.status == "404"


@pytest.mark.parametrize(
    "name", ["../../../etc/passwd", "..%2f..%2fstack.json", "%2e%2e/%2e%2e/stack.json", "/etc/passwd"]
)
def test_a_name_is_no_path(gateway: Stack, wire: httpx.Client, name: str) -> None:
    headers = {"apikey": gateway.secret_key, "content-type": "image/png"}
    before = {file.name for file in gateway.folder.iterdir()}
    wire.post(f"{STORAGE}/generations/{name}", headers=headers, content=b"mine")
    wire.get(f"{STORAGE}/generations/{name}", headers=headers)
    assert {file.name for file in gateway.folder.iterdir()} - before <= {"storage"}
    assert files_of(gateway) == versions_in(gateway)


def test_a_raw_body_is_stored_with_its_headers(gateway: Stack, wire: httpx.Client, path: str) -> None:
    headers = {"apikey": gateway.secret_key}
    stored = upload(wire, headers | {"cache-control": "max-age=7"}, f"generations/{path}", b"x")
    assert stored["Key"] == f"generations/{path}"
    told = wire.get(f"{STORAGE}/generations/{path}", headers=headers).headers
    assert (told["content-type"], told["cache-control"]) == ("image/png", "max-age=7")
    assert id_of(gateway, path) == (uuid.UUID(stored["Id"]),)


def test_a_user_with_policies_does_what_they_allow(
    wire: httpx.Client, user: ClientUser, stranger: ClientUser, open_bucket: str
) -> None:
    bucket, name = user.client.storage.from_(open_bucket), f"{user.id}/a.txt"
    bucket.upload(name, b"mine", {"content-type": "text/plain"})
    bucket.upload(name, b"mine, too", {"content-type": "text/plain", "upsert": "true"})
    with pytest.raises(StorageApiError):
        stranger.client.storage.from_(open_bucket).upload(f"{user.id}/b.txt", b"x", PNG)
    assert bucket.download(name) == b"mine, too"
    assert bucket.remove([name])[0]["owner_id"] == user.id


def test_concurrent_uploads_of_one_key_leave_one_object(
    gateway: Stack, wire: httpx.Client, path: str
) -> None:
    headers = {"apikey": gateway.secret_key}
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: upload(wire, headers, f"generations/{path}", b"%d" % n), range(8)))
    assert sorted(answer.get("statusCode", "200") for answer in answers) == ["200"] + ["409"] * 7
    assert files_of(gateway) == versions_in(gateway)


@pytest.mark.parametrize(
    ("address", "body"),
    [
        ("sign/generations/a", {"expiresIn": "soon"}),
        ("sign/generations/a", {}),
        ("sign/generations", {"expiresIn": 60, "paths": "a"}),
        ("sign/generations", {"expiresIn": 60, "paths": ["a"] * 1001}),
        ("sign/generations", {"expiresIn": 60, "paths": ["\x00"]}),
        ("sign/generations", []),
    ],
)
def test_a_request_that_makes_no_sense_is_refused(
    wire: httpx.Client, user: ClientUser, address: str, body: Any
) -> None:
    answer = wire.post(f"{STORAGE}/{address}", headers=user.headers, json=body)
    assert (answer.status_code, answer.json()["statusCode"]) == (400, "400")
