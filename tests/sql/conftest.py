from collections.abc import Iterator

import pytest

from local.stack import Stack
from tests.conftest import fresh_copy
from tests.sql.actors import User
from tests.sql.cast import Cast


@pytest.fixture(scope="session")
def company(template: Stack) -> Iterator[Cast]:
    """Connected once and to one database: a fresh one for each of so many small tests would take most of their time."""
    for stack in fresh_copy(template):
        cast = Cast(stack.database_url)
        yield cast
        cast.end()


@pytest.fixture
def cast(company: Cast) -> Cast:
    company.begin()
    return company


@pytest.fixture
def user(cast: Cast) -> User:
    return cast.user()
