"""The walls: allowed imports, the one reader of the environment, the places of SQL, names."""

import ast
import re
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

import settings
from tests.support.tracked import tracked

ROOT = Path(__file__).parent.parent
OURS = {
    "settings",
    "logs",
    "database",
    "broker",
    "urls",
    "bridge",
    "tasks",
    "operate",
    "local",
    "bench",
    "tests",
}
MAY_IMPORT = {
    "urls": set(),
    "broker": {"urls"},
    "settings": {"broker", "urls"},
    "database": set(),
    "logs": {"settings"},
    "bridge": {"bridge", "settings", "logs", "database", "broker"},
    "tasks": {"tasks", "settings", "logs", "database", "broker"},
    "operate": {"operate", "settings", "logs", "database", "broker", "urls"},
    "local": {"local", "settings", "operate", "urls"},
    # it uses our processes by their command lines alone
    "tests/chaos": {"tests", "local", "settings"},
    "tests/support": {"tests", "local", "operate", "settings"},
}
SQL = re.compile(r"""["'](select|insert|update|delete|with) .* (from|into|set) """, re.IGNORECASE)


def files(package: str) -> list[Path]:
    return [path for path in (ROOT / f"{package}.py", *(ROOT / package).rglob("*.py")) if path.exists()]


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_imports_point_one_way(package: str) -> None:
    for path in files(package):
        ours = {name.split(".")[0] for name in imports(path)} & OURS
        assert ours <= MAY_IMPORT[package], path


@pytest.mark.parametrize(
    ("package", "allowed"),
    [("tests/support", ("tests.support",)), ("tests/chaos", ("tests.support", "tests.chaos"))],
)
def test_shared_test_code_imports_no_part(package: str, allowed: tuple[str, ...]) -> None:
    for path in files(package):
        of_tests = {name for name in imports(path) if name.split(".")[0] == "tests"}
        assert all(name.startswith(allowed) for name in of_tests), path


@pytest.mark.parametrize("package", ["logs", "bridge", "tasks", "operate"])
def test_only_settings_reads_the_environment(package: str) -> None:
    for path in files(package):
        assert not re.search(r"os\.(environ|getenv)", path.read_text()), path


@pytest.mark.parametrize("package", ["bridge", "tasks"])
def test_only_a_store_speaks_sql(package: str) -> None:
    for path in files(package):
        assert path.name == "store.py" or not SQL.search(path.read_text()), path


@pytest.mark.parametrize("package", ["bridge", "tasks"])
def test_the_name_of_the_task_is_written_once(package: str) -> None:
    for path in files(package):
        assert f'"{settings.TASK_NAME}"' not in path.read_text(), path


@pytest.mark.quick  # git
def test_two_classes_have_two_names() -> None:
    """Only `Refused` is in several packages: the exception for a request that one declines."""
    places = defaultdict(set)
    for path in tracked("*.py"):
        for node in ast.parse((ROOT / path).read_text()).body:
            if isinstance(node, ast.ClassDef) and node.name != "Refused":
                places[node.name].add(path)
    assert not {name: paths for name, paths in places.items() if len(paths) > 1}


def test_two_bounds_have_two_names() -> None:
    """A number that a comment, a test or an operator names is found by that name."""
    places = defaultdict(set)
    for package in ("settings", "logs", "database", "broker", "urls", "bridge", "tasks", "operate"):
        for path in files(package):
            for name in numbers(ast.parse(path.read_text()).body):
                places[name].add(path)
    assert not {name: paths for name, paths in places.items() if len(paths) > 1}


def numbers(body: list[ast.stmt]) -> Iterator[str]:
    """The names of the numbers of a module, also of those that are calculated."""
    for node in body:
        if isinstance(node, ast.Assign) and not isinstance(getattr(node.value, "value", 0), str):
            targets = [target.id for target in node.targets if isinstance(target, ast.Name)]
            yield from targets if isinstance(node.value, ast.Constant | ast.BinOp) else ()


def test_only_providers_storage_and_pushes_speak_http() -> None:
    for path in files("bridge") + files("tasks"):
        speaks = {"httpx", "supabase", "replicate", "requests"} & set(imports(path))
        assert not speaks or path.parent.name == "providers" or path.name in ("storage.py", "push.py"), path


def test_a_test_that_starts_a_process_says_so() -> None:
    with pytest.raises(AssertionError, match="starts a process"):
        subprocess.run(["true"])
