from collections.abc import Iterator

import psycopg
import pytest

from local.postgres import SUPERUSER
from local.stack import Stack
from operate.migrate import migrate
from tests.support.databases import fresh_copy


@pytest.fixture
def new_project(postgres: Stack) -> Iterator[Stack]:
    """Migrated, and with no user.

    Hosted, postgres may set what turns triggers off; here it is granted.
    """
    for made in fresh_copy(postgres):
        migrate(made.database_url)
        with psycopg.connect(made.url_of(SUPERUSER), autocommit=True) as conn:
            conn.execute("grant set on parameter session_replication_role to postgres")
        yield made
