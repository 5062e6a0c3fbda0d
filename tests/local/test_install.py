import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local import install
from local.stack import UnusableStack, make_private


@pytest.fixture(scope="module")
def venv(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A real environment, which takes seconds to make."""
    path = tmp_path_factory.mktemp("project") / "venv"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(install, "VENV", path)
        install.make_environment()
    yield path


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, venv: Path) -> None:
    """With locks that can be had without a network: there is nothing in them."""
    monkeypatch.setattr(install, "ROOT", tmp_path)
    monkeypatch.setattr(install, "VENV", venv)
    (tmp_path / "requirements").mkdir()
    for name in install.LOCKS:
        install.lock(name).write_text("# nothing\n")
        install.stamp(name).unlink(missing_ok=True)


def run(monkeypatch: pytest.MonkeyPatch, name: str = "local") -> None:
    monkeypatch.setattr(sys, "argv", ["install.py", name])
    install.main()


def test_an_old_python_is_one_line_with_the_way_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 18))
    with pytest.raises(SystemExit):
        run(monkeypatch)
    said = capsys.readouterr().err
    assert "needs Python 3.11 or later and runs under 3.9" in said
    assert said.count("\n") == 1


def test_a_folder_that_this_user_cannot_write_is_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(install, "VENV", tmp_path / "new" / "venv")
    tmp_path.chmod(0o555)
    me = os.geteuid()
    if me == 0:
        os.seteuid(65534)
    try:
        with pytest.raises(SystemExit):
            run(monkeypatch)
        with pytest.raises(UnusableStack, match="cannot be written by this user"):
            make_private(tmp_path / "new")
    finally:
        os.seteuid(me)
        tmp_path.chmod(0o755)
        os.umask(0o022)
    assert capsys.readouterr().err.endswith("or run this as the user who owns it.\n")


def test_a_lock_is_installed_once_and_again_when_it_changes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(monkeypatch)
    assert "Installing requirements/local.txt" in capsys.readouterr().out
    run(monkeypatch)
    run(monkeypatch, "production")  # the local lock holds it
    assert capsys.readouterr().out == ""
    install.lock("local").write_text("# another\n")
    run(monkeypatch)
    assert "Installing requirements/local.txt" in capsys.readouterr().out


def test_a_failed_installation_is_not_taken_for_a_complete_one(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")  # as without a network
    install.lock("local").write_text(f"nowhere-to-be-found==1 --hash=sha256:{'0' * 64}\n")
    with pytest.raises(SystemExit):
        run(monkeypatch)
    assert "run the same command again" in capfd.readouterr().err.splitlines()[-1]
    assert not install.is_installed("local")


@pytest.mark.parametrize("target", [os.devnull, "/gone"])
def test_a_half_made_or_broken_environment_is_not_believed_in(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, target: str
) -> None:
    monkeypatch.setattr(install, "VENV", tmp_path / "venv")
    python = install.VENV / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to(target)
    install.stamp("local").write_text(install.fingerprint("local"))
    assert not install.is_installed("local")
    assert not install.can_run_pip()
