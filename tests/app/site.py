"""The web export of the app, made when its sources have changed, and served for one system."""

import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local.stack import ROOT
from tests.app.system import System

APP = ROOT / "app"
EXPORT = ROOT / ".pilotlight" / "app" / "web-for-tests"
CACHE = ROOT / ".pilotlight" / "cache" / "metro"
SOURCES = ("src", "assets", "public", "app.json", "metro.config.js", "package-lock.json", "tsconfig.json")
STDERR = 2  # of npm and Expo, so that a bench prints figures alone

# serve.mjs puts the real ones in their place.
STAND_INS = {
    "EXPO_PUBLIC_SUPABASE_URL": "http://supabase.invalid",
    "EXPO_PUBLIC_SUPABASE_PUBLISHABLE_KEY": "sb_publishable_stand_in",
}


def environment() -> dict[str, str]:
    scripts = sysconfig.get_path("scripts")
    return {
        **os.environ,  # passed on, not read
        "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}",
        "TMPDIR": str(CACHE),  # Metro's cache keeps its first values, so each site has its own
        "CI": "1",
        "EXPO_NO_TELEMETRY": "1",
        "EXPO_OFFLINE": "1",
    }


def make() -> None:
    """An export that is older than the sources is made again; one that is whole carries their
    fingerprint.
    """
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "one-at-a-time").open("w") as lock:  # tests of two workers need it
        fcntl.flock(lock, fcntl.LOCK_EX)
        make_if_changed()


def make_if_changed() -> None:
    fingerprint = fingerprint_of_sources()
    mark = EXPORT / "sources.sha256"
    if mark.exists() and mark.read_text() == fingerprint:
        return
    npm = shutil.which("npm", path=environment()["PATH"])
    assert npm is not None, "npm is missing: `make check` installs it"
    if not (APP / "node_modules" / "expo").exists():
        subprocess.run([npm, "ci", "--no-progress"], cwd=APP, env=environment(), check=True, stdout=STDERR)
    export = [npm, "exec", "--", "expo", "export", "--platform", "web", "--output-dir", str(EXPORT)]
    subprocess.run(export, cwd=APP, env={**environment(), **STAND_INS}, check=True, stdout=STDERR)
    mark.write_text(fingerprint)


def fingerprint_of_sources() -> str:
    digest = hashlib.sha256()
    for name in SOURCES:
        path = APP / name
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file() and ".test." not in file.name:
                digest.update(str(file.relative_to(APP)).encode() + file.read_bytes())
    return digest.hexdigest()


@contextmanager
def served(system: System, export: Path = EXPORT) -> Iterator[str]:
    """The folder of the exported app, built for this system."""
    node = shutil.which("node", path=environment()["PATH"])
    assert node is not None
    with subprocess.Popen(
        [node, "serve.mjs", str(export), "0"],
        cwd=APP,
        env={
            **environment(),
            "EXPO_PUBLIC_SUPABASE_URL": system.url,
            "EXPO_PUBLIC_SUPABASE_PUBLISHABLE_KEY": system.publishable_key,
        },
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            # The wheel's node is a script around the real one, which would outlive it.
            os.killpg(process.pid, signal.SIGTERM)
