"""Read the settings of a process. This is the only module that reads the environment.

For a missing or malformed value, the process prints one line that names the setting and the place
to set it. No secret has a default.
"""

import base64
import difflib
import json
import os
import re
import ssl
import sys
import tomllib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Annotated, Literal, NoReturn, Self

from dotenv import dotenv_values
from pydantic import (
    AfterValidator,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

import broker
import urls
from broker import Broker

# The contract between bridge and worker, which never import each other.
TASK_NAME = "tasks.generate"
QUEUE = "generations"
RECORD_PROCESS_EVERY = 20.0  # seconds; make status misses a process after three of them
OTHER_TOKEN = re.compile("whsec_|sb_|sk-|eyJ")
# The version that a process logs and reports. It is defined only in pyproject.toml, which lies
# beside this file on every host.
VERSION: str = tomllib.loads((Path(__file__).parent / "pyproject.toml").read_text())["project"]["version"]

ENV_FILE = ".env"  # in the folder in which a process starts
SET_IT = "Set it in the environment or in .env (see .env.example)."
# Names that resemble our settings but belong to the Edge Functions or to the app.
OF_OTHERS = {
    "REPLICATE_WEBHOOK_SECRET",
    "SUPABASE_PUBLISHABLE_KEY",
    "SUPABASE_PUBLISHABLE_KEYS",
    "SUPABASE_SECRET_KEYS",
}

# Celery prefers these variables to its configuration: a worker would then read from another Redis
# than the one that the bridge sends to.
CELERYS_OWN = {"CELERY_BROKER_URL", "CELERY_BROKER_READ_URL", "CELERY_BROKER_WRITE_URL"}

Process = Literal["bridge", "worker"]
Needed = Literal["supabase_url", "supabase_secret_key", "replicate_api_token"]
NEEDS: dict[Process, tuple[Needed, ...]] = {"bridge": (), "worker": ("supabase_url", "supabase_secret_key")}


class Missing(Exception):
    """A setting that only some processes need is requested and not set."""


def secret_key(key: str) -> str:
    """Return the key if it is a secret key of Supabase.

    Raises ValueError, as all checks here do.
    """
    header(key)
    if key.startswith("sb_publishable_"):
        raise ValueError("it is the publishable key: take the secret key, sb_secret_…")
    role = role_of(key)
    if role is not None and role != "service_role":
        raise ValueError("it is the key of another role, such as anon: take the secret key, sb_secret_…")
    if role is None and not key.startswith("sb_secret_"):
        raise ValueError("it is no secret key: one begins with sb_secret_ (Settings > API keys)")
    return key


def replicate_token(token: str) -> str:
    if OTHER_TOKEN.match(token):
        raise ValueError("it is another key: a token of Replicate begins with r8_")
    return header(token)


def header(text: str) -> str:
    if urls.PLACEHOLDER.search(text):
        raise ValueError("a placeholder of .env.example is still in it")
    if not re.fullmatch("[!-~]+", text):
        raise ValueError("it holds a character that no key has")
    return text


def role_of(key: str) -> str | None:
    """Return the role in a JWT; None if the key is no JWT."""
    try:
        payload = key.split(".")[1]
        return str(json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["role"])
    except (IndexError, KeyError, TypeError, ValueError):
        return None


def secret(check: Callable[[str], str]) -> AfterValidator:
    return AfterValidator(lambda value: SecretStr(check(value.get_secret_value())))


DatabaseUrl = Annotated[SecretStr, secret(urls.database)]
WebUrl = Annotated[str, AfterValidator(urls.web)]


class Settings(BaseSettings):
    """The settings, read from the process environment, then from `.env`.

    `.env.example` explains each value.
    """

    model_config = SettingsConfigDict(
        extra="ignore", frozen=True, env_ignore_empty=True, hide_input_in_errors=True
    )

    database_url: DatabaseUrl | None = Field(
        None, description="A direct or session-mode connection: LISTEN needs it"
    )
    bridge_database_url: DatabaseUrl | None = Field(None, description="The bridge's own login")
    worker_database_url: DatabaseUrl | None = Field(None, description="The worker's own login")
    redis_url: SecretStr = Field(description="Celery's broker")
    redis_ca_file: Path | None = Field(None, description="The CA of a Redis with a certificate of its own")

    supabase_url: WebUrl | None = Field(None, description="The worker's Storage")
    supabase_secret_key: Annotated[SecretStr, secret(secret_key)] | None = Field(
        None, description="The worker's key to Storage, sb_secret_…"
    )
    replicate_api_token: Annotated[SecretStr, secret(replicate_token)] | None = Field(
        None, description="For models of the provider replicate"
    )
    replicate_base_url: WebUrl = Field(
        "https://api.replicate.com", description="Another one only for a test or a proxy"
    )
    replicate_webhook_url: WebUrl | None = Field(
        None, description="Where Replicate reports; by default the Edge Function"
    )

    dispatch_window: int = Field(512, ge=1, le=1_000_000, description="Messages outstanding in Redis at most")
    health_port: int | None = Field(
        None, ge=1, le=65535, description="The bridge's /healthz, /readyz and /metrics"
    )
    health_host: str = Field(
        "0.0.0.0",  # noqa: S104
        min_length=1,
        description="The address it listens on",
    )
    worker_threads: int = Field(16, ge=1, le=1000, description="Jobs that one worker runs at once")
    lease_seconds: float = Field(60, ge=1, le=3600, description="How long a silent worker keeps its job")
    # Docker and our local stack kill a process 10 s after SIGTERM.
    shutdown_seconds: float = Field(
        8, ge=0, le=3600, description="How long a leaving worker finishes what it has"
    )
    # This is the limit of the bucket, and of a project on the free plan.
    max_output_bytes: int = Field(
        52_428_800, ge=1, le=5_368_709_120, description="The largest file that is stored"
    )

    push_after_seconds: float = Field(30, ge=0, le=86_400, description="A job that took longer sends a push")
    expo_push_url: WebUrl = Field(
        "https://exp.host/--/api/v2/push/send", description="Another one only for a test or a proxy"
    )

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["text", "json"] = "text"

    @field_validator("supabase_url")
    @classmethod
    def refuse_another_address(cls, url: str | None, info: ValidationInfo) -> str | None:
        if url and url.startswith("http://") and not urls.is_loopback(url):
            raise ValueError("the secret key would travel unencrypted; use https")
        if url and urls.API_PATH.search(url):
            raise ValueError("it is no project's address alone: write https://<ref>.supabase.co")
        for name in ("bridge_database_url", "worker_database_url", "database_url"):
            known = info.data.get(name)
            projects = {urls.project(text) for text in (url, known and known.get_secret_value()) if text}
            # Otherwise pictures would be stored where no user of this database sees them.
            if len(projects - {None}) > 1:
                raise ValueError(f"it is of another project than {name.upper()}")
        return url

    @field_validator("redis_ca_file")
    @classmethod
    def refuse_no_certificates(cls, path: Path | None) -> Path | None:
        try:
            if path is not None:
                ssl.create_default_context(cafile=path)
        except OSError:  # ssl.SSLError is a subclass
            raise ValueError("it names no file of certificates (PEM)") from None
        return path

    @field_validator("replicate_webhook_url")
    @classmethod
    def refuse_what_is_never_called(cls, url: str | None) -> str | None:
        if url and url.startswith("http://") and not urls.is_loopback(url):
            raise ValueError("Replicate calls https alone")
        return url

    @model_validator(mode="after")
    def refuse_bad_broker(self) -> Self:
        broker.parse(self.redis_url.get_secret_value(), self.redis_ca_file)
        for name in CELERYS_OWN & set(os.environ):
            raise ValueError(f"{name}, or the option --broker, takes its place: leave it out")
        return self

    @property
    def broker(self) -> Broker:
        return broker.parse(self.redis_url.get_secret_value(), self.redis_ca_file)

    @property
    def has_public_storage(self) -> bool:
        """Whether a provider can fetch an object by a signed URL of our Storage."""
        return (self.supabase_url or "").startswith("https://")

    @property
    def webhook_url(self) -> str | None:
        """The address of the provider's webhook; None if the provider could not reach it.

        Without a webhook, workers poll the provider.
        """
        if self.replicate_webhook_url is None and self.has_public_storage:
            return f"{self.supabase_url}/functions/v1/provider_webhook"
        return self.replicate_webhook_url

    def database(self, process: Process) -> str:
        """Return the database URL of this process: its own, or DATABASE_URL.

        If neither is set, the process exits.
        """
        own = self.bridge_database_url if process == "bridge" else self.worker_database_url
        url = own or self.database_url
        if url is None:
            refuse(
                f"{process.upper()}_DATABASE_URL is missing: set it, or DATABASE_URL, in .env (see .env.example)"
            )
        return url.get_secret_value()

    def secret(self, name: Needed) -> str:
        """Return a value that only some processes need. Raises Missing if it is not set."""
        value = getattr(self, name)
        if value is None:
            raise Missing(f"{name.upper()} is missing: set it in .env (see .env.example)")
        return value.get_secret_value() if isinstance(value, SecretStr) else str(value)

    def require(self, process: Process) -> None:
        """Exit if a setting that this process needs is missing.

        Call it first, in the main thread.
        """
        self.database(process)
        for name in NEEDS[process]:
            try:
                self.secret(name)
            except Missing as missing:
                refuse(str(missing))


def variable(name: str) -> str | None:
    """Return the value of a variable that is no setting of ours, from the environment or `.env`.

    A model's row names such a variable as {"$env": "NAME"}.
    """
    return os.environ.get(name) or of_file().get(name)


def of_file() -> dict[str, str | None]:
    """Return the variables in `.env`; an empty dict if there is no such file."""
    try:
        return dotenv_values(ENV_FILE)
    except (OSError, UnicodeDecodeError) as error:
        refuse(
            f".env cannot be read ({getattr(error, 'strerror', None) or 'it is no text in UTF-8'}): correct it."
        )


def misspelt() -> dict[str, str]:
    """Return names that are set and resemble a setting of ours, each with the nearest setting."""
    ours = [name.upper() for name in Settings.model_fields]
    found = {}
    for name in (set(os.environ) | set(of_file())) - set(ours) - OF_OTHERS:
        if near := difflib.get_close_matches(name.upper(), ours, n=1, cutoff=0.85):
            found[name] = near[0]
    return found


def owner_database() -> str:
    """Return DATABASE_URL, the login of the schema's owner. A migration needs no other setting."""
    url = variable("DATABASE_URL")
    if not url:
        refuse(
            "DATABASE_URL is missing: set it to the login of the schema's owner in .env (see .env.example).",
            1,
        )
    try:
        return urls.database(url)
    except ValueError as error:  # its text never contains the value
        refuse(f"DATABASE_URL is wrong: {error}. {SET_IT}")


def refuse(line: str, code: int = 2) -> NoReturn:
    """Print one line that gives the reason, and end this process with this exit code."""
    print(line, file=sys.stderr)
    raise SystemExit(code)


@cache
def load() -> Settings:
    """Return the settings of this process. Exits with one line per wrong value."""
    of_file()  # exits if the file cannot be read
    try:
        # mypy misses the arguments, which come from the environment.
        return Settings(_env_file=ENV_FILE)  # type: ignore[call-arg]
    except ValidationError as error:
        for problem in error.errors(include_url=False, include_input=False):
            # An error without a setting's name comes from `refuse_bad_broker`: name REDIS_URL.
            name = str((*problem["loc"], "redis_url")[0]).upper()
            said = problem["msg"].removeprefix("Value error, ")
            reason = "is missing" if problem["type"] == "missing" else f"is wrong: {said.rstrip('.')}"
            print(f"{name} {reason}. {SET_IT}", file=sys.stderr)
        raise SystemExit(2) from None
