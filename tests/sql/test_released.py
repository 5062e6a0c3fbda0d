"""A released migration is never edited: databases that have it would differ from later ones."""

from pathlib import Path

import pytest

from tests.sql.released import broken, main, released


def test_released_migrations_are_unchanged() -> None:
    assert broken(released()) == []


@pytest.fixture
def release(tmp_path: Path) -> tuple[Path, Path]:
    """Two released migrations, and the file of their hashes."""
    for name in ("1_first.sql", "3_third.sql"):
        (tmp_path / name).write_text(f"-- {name}\n")
    file = tmp_path / "released.sha256"
    assert main(tmp_path, file) == 0
    return tmp_path, file


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("1_first.sql", "-- edited\n", "1_first.sql was released and is edited"),
        ("1_first.sql", None, "1_first.sql was released and is gone"),
        ("2_second.sql", "-- new\n", "2_second.sql is new and stands before 3_third.sql"),
    ],
)
def test_a_change_of_a_release_is_named_and_not_written_down(
    release: tuple[Path, Path], capsys: pytest.CaptureFixture[str], name: str, text: str | None, said: str
) -> None:
    folder, file = release
    before = file.read_text()
    (folder / name).unlink(missing_ok=True)
    if text is not None:
        (folder / name).write_text(text)
    assert main(folder, file) == 1
    assert (capsys.readouterr().err.strip(), file.read_text()) == (said, before)


def test_the_next_release_adds_to_the_first(release: tuple[Path, Path]) -> None:
    folder, file = release
    before = file.read_text()
    (folder / "4_fourth.sql").write_text("-- new\n")
    assert main(folder, file) == 0
    assert file.read_text().startswith(before)
    assert [*released(file)] == ["1_first.sql", "3_third.sql", "4_fourth.sql"]
