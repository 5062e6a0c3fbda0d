"""The Chromium of this machine, run without a window."""

import shutil

# The headless shell is Chromium without its own windows: it opens a page in a tenth of the
# processor time. Debian has a package of it.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
LACK = "This needs Chromium: apt-get install chromium-headless-shell"
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
