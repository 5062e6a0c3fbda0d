"""The code that a function loads slows its cold start, so these tests limit it."""

import json
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from tests.edge.functions import FUNCTIONS, NAMES
from tests.support.deno import DENO, ENVIRONMENT
from tests.support.processes import ROOT

pytestmark = pytest.mark.quick

MAX_BYTES_OF_ALL = 27_000
MAX_BYTES = {
    "ping": 4_500,
    "enqueue_generation": 15_000,
    "get_job_status": 15_000,
    "provider_webhook": 15_000,
    "purchase_webhook": 15_000,
}
# The gate calls one address, which is in its environment. The address of a provider in the code
# would match this.
ADDRESS = re.compile(r"https?:|wss?:|\b[\w-]+\.(com|ai|io|dev|net|org|delivery|run)\b")


def loaded_by(name: str) -> list[dict[str, Any]]:
    """The modules that the function loads, as listed by Deno."""
    command = [str(DENO), "info", "--json", str(FUNCTIONS / name / "index.ts")]
    info = subprocess.run(command, env=ENVIRONMENT, check=True, capture_output=True, timeout=60)
    graph = json.loads(info.stdout)
    assert graph.get("npmPackages", {}) == {}
    modules: list[dict[str, Any]] = graph["modules"]
    return modules


def sources() -> list[Path]:
    return sorted(FUNCTIONS.rglob("*.ts"))


@pytest.mark.parametrize("name", NAMES)
def test_a_function_loads_its_own_folder_and_shared_and_little_of_it(name: str) -> None:
    modules = loaded_by(name)
    for module in modules:
        assert module.get("kind") == "esm" and "error" not in module, module
        path = Path(unquote(module["specifier"].removeprefix("file://")))
        assert path.parent in (FUNCTIONS / name, FUNCTIONS / "_shared"), path
    assert sum(module["size"] for module in modules) <= MAX_BYTES[name]


def test_all_functions_together_are_small() -> None:
    assert sum(path.stat().st_size for path in sources()) <= MAX_BYTES_OF_ALL


def test_no_function_names_another_host_or_loads_more_later() -> None:
    for path in sources():
        text = path.read_text()
        assert not ADDRESS.search(text), (path, ADDRESS.search(text))
        assert "import(" not in text and "Worker(" not in text, path


def test_every_function_is_deployed_with_a_word_on_verify_jwt() -> None:
    config = tomllib.loads((ROOT / "supabase" / "config.toml").read_text())
    assert (
        set(config["functions"]) == set(NAMES) == {path.parent.name for path in FUNCTIONS.glob("*/index.ts")}
    )
    assert all("verify_jwt" in settings for settings in config["functions"].values())
    assert config["api"]["auto_expose_new_tables"] is False
