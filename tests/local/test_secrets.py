"""Files with a secret on a developer's machine are never offered to git."""

import subprocess

import pytest

from local.stack import ROOT

pytestmark = [
    pytest.mark.quick,
    pytest.mark.skipif(not (ROOT / ".git").exists(), reason="this is no checkout of git"),
]


def is_ignored(path: str) -> bool:
    asked = subprocess.run(["git", "check-ignore", "--quiet", "--no-index", path], cwd=ROOT, check=False)
    assert asked.returncode in (0, 1), "git could not say"
    return asked.returncode == 0


@pytest.mark.parametrize(
    "path",
    [
        ".env",
        ".pilotlight/local/stack.json",
        "supabase/signing_keys.json",
        "supabase/.env",
        "supabase/.env.local",
        "supabase/functions/.env",
        "supabase/functions/.env.local",
        "supabase/functions/ping/.env",
        "app/.env",
        "app/.env.local",
    ],
)
def test_a_file_of_secrets_is_ignored(path: str) -> None:
    assert is_ignored(path)


@pytest.mark.parametrize("path", [".env.example", "app/.env.example", "supabase/functions/.env.example"])
def test_an_example_is_not(path: str) -> None:
    assert not is_ignored(path)
