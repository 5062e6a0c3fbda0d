"""`make doctor` against the embedded stack, well and misbehaving: each fault is one line with its
cure.
"""

import base64
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from subprocess import CompletedProcess

import psycopg
import pytest

from local import stack as stacks
from local.postgres import SUPERUSER
from local.stack import Stack
from operate import check_database, check_purchases, doctor
from settings import load
from tests.operate.conftest import Run
from tests.replicate.behaviour import ErrorResponse
from tests.replicate.server import TOKEN, MisbehavingReplicate
from tests.replicate.webhooks import SECRET
from tests.support import servers
from tests.support.databases import fresh_copy
from tests.support.processes import ControlledProcess
from tests.support.relay import Relay
from tests.support.servers import Redis, free_port
from tests.support.tls import PostgresTlsRelay, TlsRelay, certificates

FUNCTION_NAMES = stacks.function_names()


@pytest.fixture(scope="module")
def hosted(template: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A project with its gateway and all its functions. A test leaves it as it was."""
    for copied in fresh_copy(template):
        folder = tmp_path_factory.mktemp("hosted")
        ports = {name: free_port() for name in FUNCTION_NAMES}
        served = replace(copied, folder=folder, gateway_port=free_port(), function_ports=ports)
        stacks.save(served)
        started: list[ControlledProcess] = servers.supabase(
            served, "gateway", *FUNCTION_NAMES, REPLICATE_WEBHOOK_SECRET=SECRET
        )
        for process in started:
            process.start()
        for process in started:
            process.wait_ready(60)
        yield served
        for process in started:
            process.kill()


@pytest.fixture
def configure(
    hosted: Stack, broker: Redis, replicate: MisbehavingReplicate, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., None]:
    """The settings of a working system, with the changes of a test."""

    def configure(**changes: str) -> None:
        for name, value in {
            "BRIDGE_DATABASE_URL": hosted.bridge_url,
            "WORKER_DATABASE_URL": hosted.worker_url,
            "DATABASE_URL": hosted.database_url,
            "REDIS_URL": broker.url,
            "SUPABASE_URL": hosted.gateway_url,
            "SUPABASE_SECRET_KEY": hosted.secret_key,
            "REPLICATE_API_TOKEN": TOKEN,
            "REPLICATE_BASE_URL": replicate.url,
            "REPLICATE_WEBHOOK_URL": f"{hosted.gateway_url}/functions/v1/provider_webhook",
            **changes,
        }.items():
            monkeypatch.setenv(name, value)
        load.cache_clear()

    configure()
    return configure


@pytest.fixture
def examine(configure: Callable[..., None], capsys: pytest.CaptureFixture[str]) -> Run:
    def examine(**changes: str) -> "CompletedProcess[str]":
        configure(**changes)
        return CompletedProcess((), doctor.main(), *capsys.readouterr())

    return examine


@pytest.fixture
def sql(hosted: Stack) -> Iterator["psycopg.Connection[tuple[object, ...]]"]:
    with psycopg.connect(hosted.url_of(SUPERUSER), autocommit=True) as conn:
        yield conn


def wrong(examined: "CompletedProcess[str]") -> list[str]:
    found = [line for line in examined.stdout.splitlines() if line.startswith("WRONG")]
    assert (examined.returncode == 1) == bool(found)
    return found


def test_a_system_that_works_has_nothing_wrong(examine: Run, hosted: Stack) -> None:
    found = examine()
    assert wrong(found) == []
    for subject in (
        "notifications arrive",
        "all are applied",
        "evicts nothing",
        "ES256",
        "acme",
        "it is believed",
    ):
        assert subject in found.stdout
    for secret in (hosted.password, hosted.secret_key, TOKEN, SECRET):
        assert secret not in found.stdout


@dataclass(frozen=True)
class Slip:
    """Wrong settings, each with a part of the only wrong line."""

    says: str
    settings: dict[str, str] = field(default_factory=dict)
    of_stack: Callable[[Stack], dict[str, str]] = lambda stack: {}


def legacy(role: str) -> str:
    claims = base64.urlsafe_b64encode(f'{{"role":"{role}"}}'.encode()).decode().rstrip("=")
    return f"eyJhbGciOiJIUzI1NiJ9.{claims}.c2lnbmF0dXJl"


SLIPS = {
    "key of another project": Slip(
        "it refuses SUPABASE_SECRET_KEY", {"SUPABASE_SECRET_KEY": "sb_secret_" + secrets.token_urlsafe(24)}
    ),
    "swapped logins": Slip("cannot become generation_bridge", of_stack=lambda s: {"BRIDGE_DATABASE_URL": s.worker_url}),
    "wrong password": Slip(
        "refuses the password of WORKER_DATABASE_URL",
        of_stack=lambda s: {"WORKER_DATABASE_URL": s.worker_url.replace(s.password, "wrong")},
    ),
    "no database there": Slip("does not answer", {"WORKER_DATABASE_URL": "postgresql://a:b@127.0.0.1:1/postgres"}),
    "no Redis there": Slip("start it, or correct REDIS_URL", {"REDIS_URL": "redis://127.0.0.1:1/0"}),
    "another server as Redis": Slip("Redis (REDIS_URL)", of_stack=lambda s: {"REDIS_URL": f"redis://127.0.0.1:{s.gateway_port}"}),
    "no Supabase there": Slip("what answers there is no Supabase", {"SUPABASE_URL": "REPLICATE"}),
    "wrong token": Slip("Replicate refuses it", {"REPLICATE_API_TOKEN": "r8_wrong"}),
    "no Replicate there": Slip("it does not answer", {"REPLICATE_BASE_URL": "http://127.0.0.1:1"}),
    "webhook elsewhere": Slip("not deployed there", {"REPLICATE_WEBHOOK_URL": "REPLICATE"}),
}  # fmt: skip


@pytest.mark.parametrize("slip", SLIPS.values(), ids=SLIPS)
def test_a_slip_is_named(slip: Slip, examine: Run, hosted: Stack, replicate: MisbehavingReplicate) -> None:
    changes = slip.settings | slip.of_stack(hosted)
    found = wrong(
        examine(**{name: value.replace("REPLICATE", replicate.url) for name, value in changes.items()})
    )
    assert any(slip.says in line for line in found), found


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("REDIS_URL", "http://a"),
        ("SUPABASE_SECRET_KEY", "sb_publishable_abc"),
        ("SUPABASE_SECRET_KEY", legacy("anon")),
        ("SUPABASE_SECRET_KEY", "secret"),
        ("SUPABASE_SECRET_KEY", "sb_secret_..."),
    ],
)
def test_a_bad_setting_is_named_before_anything_is_asked(
    examine: Run, capsys: pytest.CaptureFixture[str], name: str, value: str
) -> None:
    with pytest.raises(SystemExit):
        examine(**{name: value})
    assert capsys.readouterr().err.startswith(f"{name} is wrong")


def test_a_database_without_migrations_or_grants_is_named(
    examine: Run, hosted: Stack, unmigrated_stack: Stack, sql: "psycopg.Connection[tuple[object, ...]]"
) -> None:
    url = unmigrated_stack.database_url
    found = wrong(examine(BRIDGE_DATABASE_URL=url, WORKER_DATABASE_URL=url, DATABASE_URL=url))
    assert any("Apply the migrations" in line for line in found), found
    assert any("are not applied" in line for line in found)

    sql.execute("revoke execute on function private.rescue_jobs(integer) from generation_bridge")
    try:
        (line,) = wrong(examine())
    finally:
        sql.execute("grant execute on function private.rescue_jobs(integer) to generation_bridge")
    assert "may not execute rescue_jobs" in line


def test_a_transaction_mode_pooler_is_named(
    examine: Run, hosted: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everything works, and no NotificationResponse ever comes."""
    monkeypatch.setattr(check_database, "NOTIFIED_WITHIN", 0.3)

    def swallow() -> Callable[[bytes], bytes]:
        return lambda content: b"" if content.startswith(b"A") else content

    relay = Relay(hosted.postgres_port, from_server=swallow)
    try:
        url = hosted.bridge_url.replace(str(hosted.postgres_port), str(relay.port))
        (line,) = wrong(examine(BRIDGE_DATABASE_URL=url))
    finally:
        relay.close()
    assert "transaction-mode pooler" in line


def test_too_few_connections_are_named(
    examine: Run, sql: "psycopg.Connection[tuple[object, ...]]", hosted: Stack
) -> None:
    sql.execute("alter role pilotlight_worker connection limit 3")
    try:
        (line,) = wrong(examine())
    finally:
        sql.execute("alter role pilotlight_worker connection limit -1")
    assert "the login may have 3 connections, and a worker takes 4" in line


def test_a_user_who_cannot_delete_an_account_is_named(
    examine: Run, sql: "psycopg.Connection[tuple[object, ...]]"
) -> None:
    sql.execute("revoke delete on auth.users from postgres")
    try:
        (line,) = wrong(examine())
    finally:
        sql.execute("grant delete on auth.users to postgres")
    assert "grant delete on auth.users to postgres" in line


def test_an_event_of_a_store_is_accepted_or_the_secret_is_named(
    examine: Run, hosted: Stack, sql: "psycopg.Connection[tuple[object, ...]]"
) -> None:
    value = f"Bearer {hosted.publishable_key}"
    assert "webhook of RevenueCat: it is believed" in examine(REVENUECAT_WEBHOOK_AUTHORIZATION=value).stdout
    (line,) = wrong(examine(REVENUECAT_WEBHOOK_AUTHORIZATION="Bearer of another project"))
    assert "refuses REVENUECAT_WEBHOOK_AUTHORIZATION of .env" in line
    short, _ = wrong(examine(REVENUECAT_WEBHOOK_AUTHORIZATION="sk_of_ours"))
    assert "API key of RevenueCat" in short
    assert sql.execute("select from private.purchase_events").fetchall() == []


def test_a_store_without_a_secret_is_wrong_once_something_is_sold(
    configure: Callable[..., None], sql: "psycopg.Connection[tuple[object, ...]]"
) -> None:
    sql.execute("delete from private.products")  # the local stack sells something
    assert check_purchases.of_answer(503, "unavailable", []).level == "note"
    sql.execute("insert into private.products (id, credits, gives_access) values ('pack', 100, false)")
    try:
        found = check_purchases.of_answer(503, "unavailable", [])
    finally:
        sql.execute("delete from private.products")
    assert (found.level, "secrets set REVENUECAT_WEBHOOK_AUTHORIZATION" in found.says) == ("wrong", True)


def test_certificates_that_end_soon_are_named(
    examine: Run, hosted: Stack, broker: Redis, tmp_path: Path
) -> None:
    ca_file, context = certificates(tmp_path)
    relays = TlsRelay(broker.port, context), PostgresTlsRelay(hosted.postgres_port, context)
    redis_port, postgres_port = (relay.port for relay in relays)
    found = examine(
        REDIS_URL=f"rediss://127.0.0.1:{redis_port}/0",
        REDIS_CA_FILE=str(ca_file),
        WORKER_DATABASE_URL=hosted.worker_url.replace(str(hosted.postgres_port), str(postgres_port)),
    )
    for relay in relays:
        relay.close()
    assert wrong(found) == []
    for port, name in ((redis_port, "REDIS_URL"), (postgres_port, "WORKER_DATABASE_URL")):
        assert f"note   certificate of 127.0.0.1:{port} ({name}): it ends on " in found.stdout


def test_a_redis_that_evicts_is_named(examine: Run, broker: Redis) -> None:
    with broker.client as client:
        client.config_set("maxmemory-policy", "allkeys-lru")
        try:
            assert wrong(examine()) == [], "without maxmemory it evicts nothing"
            client.config_set("maxmemory", "100mb")
            (line,) = wrong(examine())
        finally:
            client.config_set("maxmemory-policy", "noeviction")
            client.config_set("maxmemory", "0")
    assert "maxmemory-policy noeviction" in line


def test_a_redis_that_wants_a_password_is_named(examine: Run, own_broker: Redis) -> None:
    with own_broker.client as client:
        client.config_set("requirepass", "secret")
    (line,) = wrong(examine(REDIS_URL=own_broker.url))
    assert "correct user and password in REDIS_URL" in line


def test_a_bucket_that_is_missing_public_or_small_is_named(
    examine: Run, sql: "psycopg.Connection[tuple[object, ...]]"
) -> None:
    sql.execute("update storage.buckets set public = true where id = 'inputs'")
    sql.execute("update storage.buckets set file_size_limit = 1000 where id = 'generations'")
    try:
        found = wrong(examine())
    finally:
        sql.execute("update storage.buckets set public = false where id = 'inputs'")
        sql.execute("update storage.buckets set file_size_limit = 52428800 where id = 'generations'")
    assert [line.split(":")[0] for line in found] == ["WRONG  bucket generations", "WRONG  bucket inputs"]


def test_a_model_that_is_gone_is_named(
    examine: Run, sql: "psycopg.Connection[tuple[object, ...]]", replicate: MisbehavingReplicate
) -> None:
    insert = (
        "insert into private.models (id, title, cost, provider, provider_model, enabled, input_schema)"
        " values (%s, 'x', 1, 'replicate', %s, true, '{\"type\": \"object\", \"properties\": {}}')"
    )
    sql.execute(insert, ("here", "black-forest-labs/flux-schnell"))
    sql.execute(insert, ("gone", "nobody/gone:abc"))
    try:
        (line,) = wrong(examine())
    finally:
        sql.execute("delete from private.models where id in ('here', 'gone')")
    assert "model gone" in line


def test_a_webhook_that_would_not_be_believed_is_named(
    examine: Run, replicate: MisbehavingReplicate, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = "whsec_" + base64.b64encode(b"another secret").decode()
    monkeypatch.setattr("tests.replicate.server.SECRET", other)
    (line,) = wrong(examine())
    assert "its secret is not Replicate's" in line
    replicate.faults["secret"].append(ErrorResponse(404))
    assert wrong(examine()) == [], "without Replicate's secret, it is enough that a forged one is refused"


def test_a_function_that_is_not_there_is_named(
    examine: Run, hosted: Stack, monkeypatch: pytest.MonkeyPatch, tmp_path: pytest.TempPathFactory
) -> None:
    folder = tmp_path / "functions" / "not_deployed"  # type: ignore[operator]
    folder.mkdir(parents=True)
    (folder / "index.ts").write_text("")
    monkeypatch.setattr("operate.check_supabase.FUNCTIONS", folder.parent)
    (line,) = wrong(examine())
    assert "npx supabase@3 functions deploy not_deployed" in line
