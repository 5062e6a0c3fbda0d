"""The servers of a bench: an embedded Postgres whose data goes when the bench ends, however it ends."""

import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local import postgres
from local import stack as stacks
from local.stack import Stack


@contextmanager
def supabase(**settings: str) -> Iterator[Stack]:
    """What a hosted project holds before the first migration."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what was started is stopped
    postgres.ignore_environment()
    with tempfile.TemporaryDirectory(prefix="pilotlight-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # Postgres may run as another user
        stack = stacks.with_free_ports(stacks.create(folder))
        stacks.save(stack)
        with postgres.running(stack, **settings):
            postgres.bring_supabase(stack)
            yield stack
