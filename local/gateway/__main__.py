"""`python -m local.gateway <stack.json>` serves one stack, on loopback only."""

import sys
from pathlib import Path

import uvicorn

from local import stack as stacks
from local.gateway import app


def main() -> None:
    if len(sys.argv) != 2:
        raise SystemExit("usage: python -m local.gateway <path of stack.json>")
    stack = stacks.load(Path(sys.argv[1]).parent)
    uvicorn.run(
        app.build(stack),
        host="127.0.0.1",
        port=stack.gateway_port,
        access_log=False,
        timeout_graceful_shutdown=3,
        server_header=False,
        log_level="warning",
        ws="websockets-sansio",
    )


if __name__ == "__main__":
    main()
