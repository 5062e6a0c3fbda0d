"""Realtime alone, served from the fresh database of a test."""

from collections.abc import Iterator

import pytest
from starlette.applications import Starlette

from local.gateway import realtime
from local.stack import Stack
from tests.local.serving import served


@pytest.fixture
def app(stack: Stack) -> Starlette:
    app = Starlette(routes=realtime.routes)
    app.state.stack = stack
    return app


@pytest.fixture
def gateway(app: Starlette, stack: Stack) -> Iterator[Stack]:
    with served(app, stack):
        yield stack
