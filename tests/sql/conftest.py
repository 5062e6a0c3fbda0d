from collections.abc import Iterator

import pytest

from local.stack import Stack
from tests.support.actors import User
from tests.support.all_actors import Actors
from tests.support.databases import fresh_copy
from tests.support.store import ADD_PRODUCT, PRODUCTS


@pytest.fixture(scope="session")
def known(template: Stack) -> Iterator[Actors]:
    """The actors of all tests, connected once and to one database.

    A fresh database for each of so many small tests would take most of their time.
    """
    for stack in fresh_copy(template):
        actors = Actors(stack.database_url)
        yield actors
        actors.end()


@pytest.fixture
def actors(known: Actors) -> Actors:
    known.reset()
    return known


@pytest.fixture
def user(actors: Actors) -> User:
    return actors.user()


@pytest.fixture
def shop(actors: Actors) -> Iterator[None]:
    """Add the products; after the test, check that the ledger has no mismatch."""
    for product, (credits, *access) in PRODUCTS.items():
        actors.operator.conn.execute(ADD_PRODUCT, (product, credits, *access))
    yield
    assert actors.operator.rows("select * from private.ledger_mismatches()") == []
