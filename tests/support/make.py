"""Run a target of the Makefile as a person does."""

import os
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from subprocess import CompletedProcess

from tests.support.processes import ROOT

# Variables that a `make` around the tests passes on, and that a person does not have.
TOLD_BY_MAKE = ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "MAKEOVERRIDES")


def command(target: str, **variables: str) -> list[str]:
    return ["make", "--no-print-directory", target, *(f"{name}={value}" for name, value in variables.items())]


def make(
    target: str,
    *,
    folder: Path = ROOT,
    environment: Mapping[str, str] | None = None,
    timeout: float = 600,
    **variables: str,
) -> "CompletedProcess[str]":
    """`make("model", NAME="owner/name")`. Its processes end with it."""
    given = os.environ if environment is None else environment
    with subprocess.Popen(
        command(target, **variables),
        cwd=folder,
        env={name: value for name, value in given.items() if name not in TOLD_BY_MAKE},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            stdout, stderr = process.communicate(timeout=timeout)
        finally:
            if process.poll() is None:  # the target stops what it has started
                os.killpg(process.pid, signal.SIGTERM)
    return CompletedProcess(target, process.returncode, stdout, stderr)
