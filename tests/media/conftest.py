"""A real worker and a real Storage, beside a provider with prepared answers."""

from collections.abc import Iterator

import pytest

from tests.replicate.server import MisbehavingReplicate, misbehaving_replicate
from tests.tasks.conftest import begin_worker, environment, gateway, start_bridge, start_worker

__all__ = ["begin_worker", "environment", "gateway", "start_bridge", "start_worker"]


@pytest.fixture
def replicate() -> Iterator[MisbehavingReplicate]:
    with misbehaving_replicate() as server:
        yield server
