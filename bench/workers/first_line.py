"""When each task began, by the clock that all processes of a machine share."""

import os
import time
from typing import TextIO

file: TextIO | None = None


def note(job_id: str) -> None:
    global file
    now = time.monotonic_ns()
    if file is None:
        file = open(f"{os.environ['BENCH_FOLDER']}/{os.getpid()}.begun", "a", buffering=1)  # noqa: SIM115
    file.write(f"{job_id} {now}\n")
