"""Refuse to start as a worker that could not work, in one line and before any job is taken."""

import logging
import time

import click
import psycopg
from celery.signals import worker_init
from click.core import ParameterSource

import database
import settings

log = logging.getLogger("tasks")

ONLY_THREADS = (
    "A worker runs threads: leave out --pool."
    " For providers that compute on this machine, start several workers with WORKER_THREADS=1."
)
REFUSED_LOGIN = (
    "The database refuses the password of WORKER_DATABASE_URL (or DATABASE_URL): correct it in .env."
)
LOOK_EVERY = 1.0  # seconds


@worker_init.connect
def refuse_another_pool(**_: object) -> None:
    """Forked processes would share their parent's database connections; and Celery takes `prefork` for no choice."""
    command = click.get_current_context(silent=True)
    if command and command.get_parameter_source("pool") not in (None, ParameterSource.DEFAULT):
        raise SystemExit(ONLY_THREADS)


@worker_init.connect
def check_database(**_: object) -> None:
    """Log in and take the role once, in the main thread. A server that is away is waited for."""
    dsn = settings.load().database("worker")
    begun = time.monotonic()
    is_away = False
    while True:
        try:
            return database.connect(dsn, "generation_worker").close()
        except database.RoleRefused as error:
            raise SystemExit(str(error)) from None
        except psycopg.OperationalError as error:
            is_refused = database.is_refused_login(error)
            if is_refused and time.monotonic() - begun > database.REFUSED_LOGIN_RETRIED_FOR:
                raise SystemExit(REFUSED_LOGIN) from None
            if not is_away:
                log.warning("database.refused" if is_refused else "database.away")
            is_away = True
        time.sleep(LOOK_EVERY)
