"""The time at which each task began, by the clock that all processes of a machine share."""

import os
import time
from typing import TextIO

file: TextIO | None = None


def note(job_id: str) -> None:
    global file
    now = time.monotonic_ns()
    if file is None:
        file = open(  # noqa: SIM115
            f"{os.environ['BENCH_FOLDER']}/{os.getpid()}.begun", "a", buffering=1
        )
    file.write(f"{job_id} {now}\n")
