"""Make `.pilotlight/venv` and install one lock file into it.

This runs under the system's Python, with nothing installed. The environment is trusted only if it
contains a stamp with the hash of the lock file. The stamp is written last.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".pilotlight" / "venv"
LOCKS = ("production", "local", "dev")  # each contains the ones before it, with the same versions


def main() -> None:
    if sys.version_info < (3, 11):  # noqa: UP036  # an older Python gets this far
        found = ".".join(str(number) for number in sys.version_info[:2])
        give_up(
            f"this needs Python 3.11 or later and runs under {found}. Install one from "
            "https://www.python.org/downloads/ and say which: make PYTHON=python3.11 demo"
        )
    if len(sys.argv) != 2 or sys.argv[1] not in LOCKS:
        give_up("usage: python local/install.py production|local|dev")
    wanted = LOCKS[LOCKS.index(sys.argv[1]) :]
    if not any(is_installed(name) for name in wanted):
        install(sys.argv[1])


def is_installed(name: str) -> bool:
    try:
        # A virtual environment breaks when the Python that made it is removed.
        return stamp(name).read_text() == fingerprint(name) and os.access(VENV / "bin" / "python", os.X_OK)
    except OSError:
        return False


def stamp(name: str) -> Path:
    return VENV / f"installed-{name}"


def lock(name: str) -> Path:
    return ROOT / "requirements" / f"{name}.txt"


def fingerprint(name: str) -> str:
    # A virtual environment contains its own path, so it breaks when the project is moved.
    return hashlib.sha256(lock(name).read_bytes() + str(VENV).encode()).hexdigest()


def install(name: str) -> None:
    refuse_read_only()
    for other in LOCKS:
        stamp(other).unlink(missing_ok=True)
    if not can_run_pip():
        make_environment()
    print(
        f"Installing requirements/{name}.txt into .pilotlight/venv (once; it takes a minute or two)",
        flush=True,
    )
    if not run_pip(name):
        give_up(
            "The packages could not be installed; the reason is above. If it is the network, run the same command "
            "again when there is one: it goes on where it stopped."
        )
    stamp(name).write_text(fingerprint(name))


def run_pip(name: str) -> bool:
    command = [
        str(VENV / "bin" / "python"),
        "-m",
        "pip",
        "install",
        "--require-hashes",
        "-r",
        str(lock(name)),
    ]
    command += ["--disable-pip-version-check", "--no-input", "--retries=2", "--progress-bar=off"]
    count, total = 0, lock(name).read_text().count("==")
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as pip:
        assert pip.stdout is not None  # noqa: S101
        for line in pip.stdout:
            if line.startswith(("Collecting ", "Processing ")):
                count += 1
                # name==version, or the file of a local wheel
                name = line.split()[1].rpartition("/")[2]
                print(f"  {count:3} of {total}  {name.partition('-cp')[0].partition('-py')[0]}", flush=True)
            elif line.startswith("Requirement already satisfied"):
                count += 1
            elif line.startswith("Installing collected"):
                print("  unpacking…", flush=True)
    return pip.returncode == 0


def refuse_read_only() -> None:
    folder = next((each for each in (VENV, VENV.parent) if os.path.exists(each)), ROOT)
    if not os.access(folder, os.W_OK, effective_ids=True):
        give_up(
            f"{folder} cannot be written by this user: copy the project to a folder of your own, or run this as the"
            " user who owns it."
        )


def can_run_pip() -> bool:
    python = VENV / "bin" / "python"
    checks = "import sys, pip; sys.exit(sys.version_info < (3, 11))"
    try:
        return subprocess.run([str(python), "-c", checks], capture_output=True).returncode == 0
    except OSError:
        return False


def make_environment() -> None:
    print("Making a virtual environment in .pilotlight/venv…", flush=True)
    shutil.rmtree(VENV, ignore_errors=True)
    made = subprocess.run([sys.executable, "-m", "venv", str(VENV)], capture_output=True, text=True)
    if made.returncode != 0:
        shutil.rmtree(VENV, ignore_errors=True)
        said = (made.stdout + made.stderr).strip().splitlines() or ["no reason given"]
        give_up(
            f"No virtual environment could be made ({said[0]}). On Debian and Ubuntu: apt install python3-venv"
        )


def give_up(reason: str) -> None:
    print(f"pilotlight: {reason}", file=sys.stderr)
    sys.exit(1)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        os._exit(130)
