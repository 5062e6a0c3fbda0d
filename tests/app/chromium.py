"""The Chromium of this machine, run without a window."""

import shutil

# The headless shell is Chromium without its own windows: to open a page takes it a tenth of the
# processor time. Debian has it as a package; elsewhere the whole browser does.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
# Nothing that reaches beyond this machine, and no GPU, which a server does not have.
OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def executable() -> str | None:
    return next(filter(None, map(shutil.which, NAMES)), None)
