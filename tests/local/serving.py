"""An app on its stack's port, for the length of a `with`."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.applications import Starlette

from local.stack import Stack


@contextmanager
def served(app: Starlette, stack: Stack) -> Iterator[Stack]:
    config = uvicorn.Config(app, port=stack.gateway_port, log_level="warning", ws="websockets-sansio")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        until = time.monotonic() + 10
        while not server.started:
            assert time.monotonic() < until and thread.is_alive(), "the app did not start"
            time.sleep(0.01)
        yield stack
    finally:
        server.should_exit = True
        thread.join()
