"""The files that git tracks."""

import subprocess
from pathlib import Path

from local.stack import ROOT


def tracked(*patterns: str) -> list[Path]:
    """Return their paths below the root of the project, without those that were deleted on disk."""
    command = ["git", "ls-files", *patterns]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return [Path(path) for path in listed.stdout.splitlines() if (ROOT / path).is_file()]
