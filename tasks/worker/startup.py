"""Check the configuration of a worker before it takes a job. On a fault, print one line and exit.

If a server is unreachable, the worker waits for it. All checks run in the main thread, where
SystemExit ends the process.
"""

import logging
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import redis
from celery.signals import worker_init
from celery.worker import WorkController

import broker
import database
import logs
import settings
from tasks import media, storage, store
from tasks.worker import options

log = logging.getLogger("tasks")

UNREADABLE = (
    "The model {} makes {}, which this worker cannot read: install requirements/media.txt,"
    " or disable the model in private.models."
)
RETRY_EVERY = 1.0  # seconds between two attempts
# The errors of a wrong configuration. A retry would not help.
REFUSALS = (database.RoleRefused, database.SchemaRefused, broker.BrokerRefused, storage.AccessRefused)


@worker_init.connect
def check(sender: WorkController, **_: object) -> None:
    options.refuse_options()
    options.refuse_other_queues(set(sender.app.amqp.queues.consume_from))
    config = settings.load()
    config.require("worker")
    logs.configure(config)
    for name, near in settings.misspelt().items():
        log.warning("setting.unknown", extra={"setting": name, "nearest": near})
    refuse_no_temporary_folder()
    try:
        wait_for(check_database, "database")
        wait_for(refuse_unreadable_kinds, "database")
        wait_for(storage.check_access, "storage")
        wait_for(check_broker, "broker")
    except KeyboardInterrupt:
        raise SystemExit(130) from None


def refuse_no_temporary_folder() -> None:
    """Exit if the folder for temporary files, into which outputs are spooled, cannot be used.

    Python silently takes another folder if TMPDIR is unusable.
    """
    try:
        wanted, used = settings.variable("TMPDIR"), tempfile.gettempdir()
    except OSError:
        settings.refuse(
            "There is no folder to spool files in: set TMPDIR to one that this user may write.", code=1
        )
    if wanted and Path(wanted).resolve() != Path(used).resolve():
        settings.refuse(
            "TMPDIR is not used: name a folder that this user may write, in the environment and not in .env.",
            code=1,
        )


def wait_for(step: Callable[[], None], server: str) -> None:
    is_away = False
    while True:
        try:
            return step()
        except REFUSALS as error:
            settings.refuse(str(error), code=1)
        except (*store.DATABASE_ERRORS, storage.NotStored, redis.RedisError, OSError) as error:
            if not is_away:
                log.warning(f"{server}.away", extra={"error": logs.describe(error)})
            is_away = True
        time.sleep(RETRY_EVERY)


def check_database() -> None:
    """Log in and take the role once.

    A refused login is retried for a while, since poolers cache passwords.
    """
    begun, is_refused = time.monotonic(), False
    while True:
        try:
            return database.connect(settings.load().database("worker"), "generation_worker").close()
        except psycopg.OperationalError as error:
            refusal = database.refusal_of(error, "WORKER_DATABASE_URL (or DATABASE_URL)")
            if refusal is None:
                raise
            if time.monotonic() - begun > database.REFUSED_LOGIN_RETRIED_FOR:
                settings.refuse(refusal, code=1)
            if not is_refused:
                log.warning("database.refused", extra={"error": logs.describe(error)})
            is_refused = True
        time.sleep(RETRY_EVERY)


def refuse_unreadable_kinds() -> None:
    for model, kind in store.enabled_models():
        if not media.can_read(kind):
            settings.refuse(UNREADABLE.format(model, kind), code=1)


def check_broker() -> None:
    for warning in broker.check(settings.load().broker):
        log.warning("broker.unsuitable", extra={"reason": warning})
