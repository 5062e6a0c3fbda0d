"""A URL is read once. An error names the fault, never the value, which may hold a password."""

import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

import broker
import urls
from settings import Settings
from tests.support.processes import PROGRAMS, ROOT, python

SECRET = "s3cr3tpassw0rd"
REST = "@db.example.com:5432/postgres"

BAD_DATABASES = {
    f"postgresql+psycopg://postgres:{SECRET}{REST}": "postgresql:// or postgres://",
    f"postgresql://postgres:{SECRET}%{REST}": "write %25",
    f"postgresql://postgres:{SECRET}%zz{REST}": "write %25",
    f"postgresql://postgres:{SECRET}{REST}?pgbouncer=true": "pgbouncer",
    f"postgresql://postgres:{SECRET}{REST}?{SECRET}=1": "unknown option",
    f"postgresql://postgres:{SECRET}{REST}?sslmode={SECRET}": "sslmode",
    f"postgresql://postgres:{SECRET}{REST}?sslrootcert=/{SECRET}": "sslrootcert",
    f"postgresql://postgres:a@{SECRET}{REST}": "write %40",
    f"postgresql://postgres:a/{SECRET}{REST}": "write %2F",
    f"postgresql://postgres:a?{SECRET}{REST}": "write %2F",
    f"postgresql://postgres:a#{SECRET}{REST}": "%23",
    f"postgresql://postgres:[{SECRET}]{REST}": "%5B",
    f"postgresql://postgres:{SECRET}:{SECRET}": "host or port",
    f"postgresql://postgres:{SECRET} {REST}": "space",
    f'"postgresql://postgres:{SECRET}{REST}"': "quote",
    f"postgres:{SECRET}{REST}": "begin with",
    f"postgresql://postgres:{SECRET}@db.example.com:99999/postgres": "host or port",
    f"postgresql://postgres:{SECRET}@pooler.example.com:6543/postgres": "session pooler",
    f"postgresql://postgres:{SECRET}@db.your-project.supabase.co:5432/postgres": "placeholder",
    "postgresql://postgres:[YOUR-PASSWORD]@db.abc.supabase.co:5432/postgres": "placeholder",
    "postgresql://postgres:password@db.abc.supabase.co:5432/postgres": "placeholder",
}
BAD_BROKERS = {
    f"http://:{SECRET}@redis.example.com": "redis:// or rediss://",
    f"redis://:{SECRET}%@redis.example.com:6379/0": "write %25",
    f"redis://:a@{SECRET}@redis.example.com:6379/0": "write %40",
    f"redis://:a/{SECRET}@redis.example.com:6379/0": "write %2F",
    f"redis://:{SECRET}:{SECRET}": "host or port",
    f"redis://redis.example.com:6379/{SECRET}": "database",
    f"redis://redis.example.com:6379/0?password={SECRET}": "before the @",
    f"redis://:{SECRET}@redis.example.com:6379/0?ssl_cert_reqs=none": "write rediss://",
    f"rediss://:{SECRET}@redis.example.com:6379/0?ssl_cert_reqs={SECRET}": "ssl_cert_reqs",
    f"rediss://:{SECRET}@redis.example.com:6379/0?ssl_min_version=771": "do not pass on",
    f"rediss://:{SECRET}@redis.example.com:6379/0?ssl_ca_certs=/{SECRET}": "ssl_ca_certs",
}
BAD_ADDRESSES = {
    f"https://user:{SECRET}@abc.supabase.co": "login",
    f"https://abc.supabase.co?key={SECRET}": "login or a query",
    f"{SECRET}.supabase.co": "begin with",
    "https://your-project.supabase.co": "placeholder",
}


def says(read: Callable[[str], object], text: str, named: str) -> None:
    with pytest.raises(ValueError) as caught:
        read(text)
    assert named in str(caught.value)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(("text", "named"), BAD_DATABASES.items())
def test_a_fault_in_the_url_of_a_database_is_named(text: str, named: str) -> None:
    says(urls.database, text, named)


@pytest.mark.parametrize(("text", "named"), BAD_BROKERS.items())
def test_a_fault_in_the_url_of_a_broker_is_named(text: str, named: str) -> None:
    says(broker.parse, text, named)


@pytest.mark.parametrize(("text", "named"), BAD_ADDRESSES.items())
def test_a_fault_in_an_address_is_named(text: str, named: str) -> None:
    says(urls.web, text, named)


@pytest.mark.parametrize(
    "text",
    [
        f"postgresql://postgres.abc:{SECRET}@aws-0-eu-central-1.pooler.supabase.com:5432/postgres",
        f"postgres://postgres:{SECRET}%40%2F%25{REST}?sslmode=require&application_name=x",
        f"postgresql://postgres:a:b!$&'()*+,;=~{REST}",
        "postgresql://postgres@[::1]:5432/postgres",
        "postgresql://postgres@one,two:5433/postgres?target_session_attrs=read-write",
        "postgresql:///postgres?host=/var/run/postgresql",
    ],
)
def test_a_url_that_libpq_reads_is_left_as_it_is(text: str) -> None:
    assert urls.database(text) == text


@pytest.mark.parametrize(
    ("text", "url", "tls"),
    [
        ("redis://h", "redis://h:6379/0", None),
        ("redis://h?db=3&socket_timeout=90", "redis://h:6379/3", None),
        ("redis://u:p%40@h:1/2?health_check_interval=1", "redis://u:p%40@h:1/2", None),
        ("redis://:p@[::1]:1", "redis://:p@[::1]:1/0", None),
        ("rediss://h", "rediss://h:6379/0", (ssl.CERT_REQUIRED, True)),
        ("rediss://h?ssl_cert_reqs=CERT_REQUIRED", "rediss://h:6379/0", (ssl.CERT_REQUIRED, True)),
        ("rediss://h?ssl_cert_reqs=none", "rediss://h:6379/0", (ssl.CERT_NONE, False)),
        ("rediss://h?ssl_cert_reqs=CERT_NONE", "rediss://h:6379/0", (ssl.CERT_NONE, False)),
        ("rediss://h?ssl_check_hostname=false", "rediss://h:6379/0", (ssl.CERT_REQUIRED, False)),
    ],
)
def test_either_clients_spelling_is_understood(text: str, url: str, tls: tuple[object, bool] | None) -> None:
    found = broker.parse(text)
    assert found.url == url
    assert SECRET not in repr(found)
    assert tls == (found.tls and (found.tls["ssl_cert_reqs"], found.tls["ssl_check_hostname"]))


PROCESSES = {
    "bridge": python("-m", "bridge"),
    "worker": [str(PROGRAMS / "celery"), "-A", "tasks", "worker"],
    "status": python("-m", "operate.status"),
    "audit": python("-m", "operate.audit"),
    "doctor": python("-m", "operate.doctor"),
    "migrate": python("-m", "operate.migrate"),
    "model": python("-m", "operate.model", "black-forest-labs/flux-schnell", "1", ""),
}
# One run reports all errors at once; these are the kinds that were once printed whole.
ROUNDS = list(zip(list(BAD_DATABASES)[:4], list(BAD_BROKERS)[:4], strict=True))


@pytest.mark.processes
@pytest.mark.parametrize("name", PROCESSES)
def test_no_process_prints_a_secret(name: str, tmp_path: Path) -> None:
    for url, redis_url in ROUNDS[: None if name in ("bridge", "worker", "migrate") else 1]:
        databases = {f"{kind}DATABASE_URL": url for kind in ("", "BRIDGE_", "WORKER_")}
        seen = subprocess.run(
            PROCESSES[name],
            cwd=tmp_path,
            env={
                "PYTHONPATH": str(ROOT),
                "REDIS_URL": redis_url,
                "SUPABASE_SECRET_KEY": f"sb_{SECRET}",
                **databases,
            },
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert SECRET not in seen.stdout + seen.stderr
        assert "Traceback" not in seen.stderr
        if name == "migrate":
            assert (seen.returncode, len(seen.stderr.splitlines())) == (2, 1)
        else:
            assert seen.returncode == 2
            wrong = {line.split(" is wrong")[0] for line in seen.stderr.splitlines()}
            assert wrong == {*databases, "SUPABASE_SECRET_KEY"} | ({"REDIS_URL"} & wrong)


JWT = "eyJhbGciOiJIUzI1NiJ9.{}.signature"
ANON, SERVICE = JWT.format("eyJyb2xlIjoiYW5vbiJ9"), JWT.format("eyJyb2xlIjoic2VydmljZV9yb2xlIn0")


@pytest.mark.parametrize(
    ("key", "named"),
    [
        ("sb_publishable_abc", "publishable key"),
        (ANON, "another role"),
        ("sb_secret_...", "placeholder"),
        ("sb_secret_\u00fc", "character"),
        (SECRET, "begins with sb_secret_"),
    ],
)
def test_a_key_of_another_kind_is_refused(key: str, named: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://h")
    monkeypatch.setenv("SUPABASE_SECRET_KEY", key)
    with pytest.raises(ValueError) as caught:
        Settings(_env_file=None)  # type: ignore[call-arg]
    assert named in str(caught.value)
    assert key not in str(caught.value)


@pytest.mark.parametrize("key", [SERVICE, "sb_secret_abc"])
def test_a_secret_key_is_taken(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://h")
    monkeypatch.setenv("SUPABASE_SECRET_KEY", key)
    assert Settings(_env_file=None).secret("supabase_secret_key") == key  # type: ignore[call-arg]
