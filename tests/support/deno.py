"""One Deno for all tests: a script that serves until the end of a `with`, and one that runs to its
end.
"""

import os
import re
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from local.processes import EVERYWHERE
from tests.support.processes import PROGRAMS, ROOT

DENO = PROGRAMS / "deno"
LOCK = Path(__file__).with_name("deno.lock")

ENVIRONMENT = {**EVERYWHERE, "HOME": os.environ.get("HOME", "/")}
# A script with packages may have to download them, through the machine's own proxies and with its
# certificates.
ENVIRONMENT_WITH_PACKAGES = {**os.environ, **EVERYWHERE}


@contextmanager
def process(script: Path, environment: Mapping[str, str], *options: str) -> Iterator[str]:
    """A Deno process that serves this script; where."""
    with subprocess.Popen(
        [str(DENO), "run", "--allow-net", "--allow-env", *options, str(script)],
        env={**ENVIRONMENT, "DENO_SERVE_ADDRESS": "tcp:127.0.0.1:0", **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield _origin(process)
        finally:
            process.terminate()


def _origin(process: "subprocess.Popen[str]") -> str:
    assert process.stderr is not None
    said = ""
    for line in process.stderr:
        said += line
        if found := re.search(r"Listening on (http://[\d.:]+)", line):
            # The log must be read to its end, or a full pipe stops the function.
            threading.Thread(target=process.stderr.read, daemon=True).start()
            return found[1]
    raise AssertionError(f"Deno did not start:\n{said}")


def client(script: Path, *arguments: str) -> list[str]:
    """The command of a client with packages, at the versions and hashes of the lock."""
    permissions = ["--allow-net", "--allow-env"]
    return [str(DENO), "run", "--quiet", "--frozen", f"--lock={LOCK}", *permissions, str(script), *arguments]


def run(script: Path, *arguments: str, timeout: float = 120) -> str:
    """The output of a client that ends without an error."""
    done = subprocess.run(
        client(script, *arguments),
        cwd=ROOT,
        env=ENVIRONMENT_WITH_PACKAGES,
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
