"""The only reader of the environment: everything a process needs to know from outside.

A missing or malformed value is named in one line that says where to set it; no default hides a missing secret.
"""

import os
import sys
from functools import cache
from typing import Literal
from urllib.parse import urlsplit

from dotenv import dotenv_values
from pydantic import (
    Field,
    PostgresDsn,
    RedisDsn,
    SecretStr,
    ValidationError,
    field_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

# The contract between bridge and worker, which never import each other.
TASK_NAME = "tasks.generate"
QUEUE = "generations"


class Settings(BaseSettings):
    """Read from the process environment, then from `.env`; `.env.example` explains each value."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", frozen=True)

    database_url: PostgresDsn | None = Field(
        None, description="A direct or session-mode connection: LISTEN needs it"
    )
    bridge_database_url: PostgresDsn | None = Field(None, description="The bridge's own login")
    worker_database_url: PostgresDsn | None = Field(None, description="The worker's own login")
    redis_url: RedisDsn = Field(description="Celery's broker")

    supabase_url: str | None = Field(None, pattern=r"^https?://", description="The worker's Storage")
    supabase_secret_key: SecretStr | None = Field(
        None, description="The worker's key to Storage, sb_secret_…"
    )
    replicate_api_token: SecretStr | None = Field(None, description="For models of the provider replicate")
    replicate_base_url: str = Field(
        "https://api.replicate.com",
        pattern=r"^https?://",
        description="Another one only for a test or a proxy",
    )
    replicate_webhook_url: str | None = Field(
        None, pattern=r"^https?://", description="Where Replicate reports; by default the Edge Function"
    )

    dispatch_window: int = Field(512, ge=1, description="Messages outstanding in Redis at most")
    health_port: int | None = Field(None, ge=1, le=65535, description="The bridge's /healthz and /readyz")
    worker_threads: int = Field(16, ge=1, description="Jobs that one worker runs at once")
    lease_seconds: float = Field(60, ge=1, description="How long a silent worker keeps its job")
    # Docker, and our local stack, kill 10 s after they asked a process to leave.
    shutdown_seconds: float = Field(8, ge=0, description="How long a leaving worker finishes what it has")
    # The bucket takes no more, and neither does a project on the free plan.
    max_output_bytes: int = Field(52_428_800, ge=1, description="The largest file that is stored")

    push_after_seconds: float = Field(30, ge=0, description="A job that took longer sends a push")
    expo_push_url: str = Field(
        "https://exp.host/--/api/v2/push/send",
        pattern=r"^https?://",
        description="Another one only for a test or a proxy",
    )

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["text", "json"] = "text"

    @field_validator("supabase_url")
    @classmethod
    def end_without_slash(cls, url: str | None) -> str | None:
        host = urlsplit(url or "").hostname
        if url and url.startswith("http://") and host not in ("localhost", "127.0.0.1", "::1"):
            raise ValueError("the secret key would travel unencrypted; use https")
        return url and url.rstrip("/")

    @field_validator("database_url", "bridge_database_url", "worker_database_url")
    @classmethod
    def refuse_transaction_pooler(cls, url: PostgresDsn | None) -> PostgresDsn | None:
        if url is not None and any(host["port"] == 6543 for host in url.hosts()):
            raise ValueError(
                "port 6543 is a transaction-mode pooler; use the session pooler or a direct connection (5432)"
            )
        return url

    @property
    def has_public_storage(self) -> bool:
        """Whether a provider can fetch what a signed URL of our Storage names."""
        return (self.supabase_url or "").startswith("https://")

    @property
    def webhook_url(self) -> str | None:
        """Where a provider reports what it has done. None: nowhere it could reach, so it is asked instead."""
        if self.replicate_webhook_url is None and self.has_public_storage:
            return f"{self.supabase_url}/functions/v1/provider_webhook"
        return self.replicate_webhook_url

    def database(self, process: Literal["bridge", "worker"]) -> str:
        """The URL with the login of this process: its own, or DATABASE_URL. Without either the process ends."""
        url = (
            self.bridge_database_url if process == "bridge" else self.worker_database_url
        ) or self.database_url
        if url is None:
            raise SystemExit(
                f"{process.upper()}_DATABASE_URL is missing: set it, or DATABASE_URL, in .env (see .env.example)"
            )
        return str(url)

    def secret(self, name: Literal["supabase_url", "supabase_secret_key", "replicate_api_token"]) -> str:
        """A value only some processes need; leaving it unset is an error where it is asked for."""
        value = getattr(self, name)
        if value is None:
            raise SystemExit(f"{name.upper()} is missing: set it in .env (see .env.example)")
        return value.get_secret_value() if isinstance(value, SecretStr) else str(value)


def variable(name: str) -> str | None:
    """A variable that a model's row names as {"$env": "NAME"}; no setting of ours has that name."""
    return os.environ.get(name) or dotenv_values(".env").get(name)


@cache
def load() -> Settings:
    """The settings of this process; exits with one line per wrong value."""
    try:
        return Settings()  # type: ignore[call-arg]  # the values come from the environment
    except ValidationError as error:
        for problem in error.errors():
            name = str(problem["loc"][0]).upper()
            reason = "is missing" if problem["type"] == "missing" else f"is wrong: {problem['msg']}"
            print(
                f"{name} {reason}. Set it in the environment or in .env (see .env.example).", file=sys.stderr
            )
        raise SystemExit(2) from None
