"""Every call with an old token after its account is deleted, and limits that a client meets."""

import uuid
from collections.abc import Callable, Iterator

import httpx
import pytest

from tests.edge.refusals import code_of
from tests.edge.user import TappingUser
from tests.support.jobs import Jobs
from tests.support.processes import ROOT

PNG = b"\x89PNG\r\n\x1a\n"
Call = Callable[[httpx.Client, TappingUser, str], httpx.Response]


def rest(user: TappingUser) -> str:
    return f"{user.backend.stack.gateway_url}/rest/v1"


def storage(user: TappingUser) -> str:
    return f"{user.backend.stack.gateway_url}/storage/v1/object"


def rpc(name: str, **arguments: object) -> Call:
    return lambda http, user, job: http.post(
        f"{rest(user)}/rpc/{name}",
        headers=user.headers,
        json=arguments | ({"p_id": job} if "p_id" in arguments else {}),
    )


def table(name: str, columns: str) -> Call:
    return lambda http, user, job: http.get(f"{rest(user)}/{name}?select={columns}", headers=user.headers)


REQUEST = {"p_model": "preview", "p_input": {"prompt": "a fox"}, "p_id": None}
REFUSED: dict[str, Call] = {
    "function enqueue_generation": lambda http, user, job: http.post(
        user.backend.gate.url("enqueue_generation"),
        headers=user.headers,
        json={"id": str(uuid.uuid4()), "model": "preview", "input": {"prompt": "a fox"}},
    ),
    "function get_job_status": lambda http, user, job: user.get_status(ids=job),
    "rpc enqueue_generation": rpc("enqueue_generation", **REQUEST),
    "rpc cancel_generation": rpc("cancel_generation", p_id=None),
    "rpc get_job_status": rpc("get_job_status", p_ids=[]),
    "rpc list_models": rpc("list_models"),
    "rpc read_gallery": rpc("read_gallery", p_before_at=None, p_before_id=None, p_ids=[]),
    "rpc report_generation": rpc("report_generation", p_id=None, p_reason="other"),
    "rpc register_device": rpc("register_device", p_token="ExponentPushToken[a]", p_platform="ios"),
    "rpc unregister_device": rpc("unregister_device", p_token="ExponentPushToken[a]"),
}
# These check no user: ping is public, and each webhook requires a secret of its own.
NOT_FOR_USERS = {"function ping", "function provider_webhook", "function purchase_webhook"}
EMPTY: dict[str, Call] = {
    "entitlements": table("entitlements", "*"),
    "credit_entries": table("credit_entries", "*"),
    "jobs": table("jobs", "id"),
    "generations": table("generations", "*"),
}


def fill(http: httpx.Client, user: TappingUser, jobs: Jobs) -> tuple[str, str]:
    """Create an ended job with its generation, and a photo; return the id and the path."""
    job_id = str(jobs.enqueue(user_id=user.id))
    jobs.cancel(uuid.UUID(job_id), user.id)
    photo = f"inputs/{user.id}/{uuid.uuid4()}.png"
    headers = user.headers | {"content-type": "image/png"}
    assert http.post(f"{storage(user)}/{photo}", headers=headers, content=PNG).status_code == 200
    return job_id, photo


def test_every_function_and_rpc_of_a_user_is_tried(jobs: Jobs) -> None:
    """Fail until a new function or RPC is added above."""
    functions = {f"function {path.parent.name}" for path in (ROOT / "supabase/functions").glob("*/index.ts")}
    rpcs = jobs.conn.execute(
        "select 'rpc ' || proname from pg_proc where pronamespace = 'public'::regnamespace"
        " and has_function_privilege('authenticated', oid, 'execute')"
    ).fetchall()
    assert functions - NOT_FOR_USERS | {name for (name,) in rpcs} == {*REFUSED, "rpc delete_account"}


def test_an_old_token_opens_nothing(http: httpx.Client, user: TappingUser, jobs: Jobs) -> None:
    job_id, photo = fill(http, user, jobs)
    before = [call(http, user, job_id) for call in EMPTY.values()]
    assert all(answer.json() for answer in before), "there was something to see"
    assert http.get(f"{storage(user)}/{photo}", headers=user.headers).content == PNG

    for _ in range(2):
        gone = rpc("delete_account")(http, user, job_id)
        assert gone.status_code in (200, 204) and gone.text in ("", "null")

    for name, call in REFUSED.items():
        answer = call(http, user, job_id)
        code = code_of(answer) if name.startswith("function") else answer.json()["code"]
        assert (answer.status_code, code) == (401, "unauthenticated"), name
    for name, call in EMPTY.items():
        answer = call(http, user, job_id)
        assert (answer.status_code, answer.json()) == (200, []), name
    assert http.get(f"{storage(user)}/{photo}", headers=user.headers).status_code == 400
    upload = f"{storage(user)}/inputs/{user.id}/{uuid.uuid4()}.png"
    headers = user.headers | {"content-type": "image/png"}
    assert http.post(upload, headers=headers, content=PNG).json()["statusCode"] == "403"
    user.accepted.clear()


def tap(http: httpx.Client, user: TappingUser, prompt: str = "a fox") -> tuple[int, str, str | None]:
    body = {"id": str(uuid.uuid4()), "model": "preview", "input": {"prompt": prompt}}
    answer = http.post(user.backend.gate.url("enqueue_generation"), headers=user.headers, json=body)
    if answer.status_code == 202:
        user.accepted.add(body["id"])  # type: ignore[arg-type]
        return 202, "", None
    return answer.status_code, code_of(answer), answer.headers.get("retry-after")


@pytest.fixture
def restored(jobs: Jobs) -> Iterator[None]:
    yield
    jobs.conn.execute("delete from private.provider_limits where provider = 'preview'")
    jobs.conn.execute("delete from private.prompt_filter")
    jobs.operator.configure(max_unsuccessful_per_day=60)


@pytest.mark.usefixtures("restored")
def test_every_bound_reaches_the_client_in_its_own_words(
    http: httpx.Client, user: TappingUser, jobs: Jobs
) -> None:
    jobs.conn.execute(
        "insert into private.provider_limits (provider, starts_per_minute, starts_per_day)"
        " values ('preview', 60, 0)"
    )
    assert tap(http, user) == (503, "unavailable", "3600")
    jobs.conn.execute("delete from private.provider_limits where provider = 'preview'")

    jobs.conn.execute("insert into private.prompt_filter values ('forbidden')")
    assert tap(http, user, "a forbidden fox") == (422, "content_rejected", None)
    assert tap(http, user)[0] == 202

    jobs.operator.configure(max_unsuccessful_per_day=1)
    start = "insert into private.unsuccessful_starts (job_id, user_id) values (gen_random_uuid(), %s)"
    jobs.conn.execute(start, (user.id,))
    status, code, retry_after = tap(http, user)
    assert (status, code) == (429, "too_many_failures") and 86_000 < int(retry_after or 0) <= 86_400
