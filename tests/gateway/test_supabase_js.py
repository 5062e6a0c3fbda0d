"""The same surface through the real supabase-js, under Deno."""

import json
import os
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

import pytest

from local.stack import Stack

HERE = Path(__file__).parent
DENO = str(Path(sysconfig.get_path("scripts")) / "deno")

EXPECTED: dict[str, Any] = {
    "anonymous": True,
    "getUser": True,
    "getClaims": True,
    "rotates": True,
    "unknownRefresh": "refresh_token_not_found",
    "rpc": True,
    "enqueue": "queued",
    "status": 1,
    "rpcError": [404, "unknown_model"],
    "rpcMissing": "PGRST202",
    "rpcAnon": 401,
    "ownJobs": 1,
    "othersJobs": 0,
    "single": True,
    "none": None,
    "upload": True,
    "duplicate": [400, "409"],
    "uploadAsUser": "403",
    "download": "picture",
    "signed": ["picture", "image/png", "max-age=60"],
    "signedMany": [True, False],
    "downloadByStranger": "StorageApiError",
    "removeByUser": [],
    "remove": 1,
    "forged": 401,
    "secretKeyIsService": 1,
    "publishableKeyIsAnon": 401,
    "refreshAfterSignOut": "refresh_token_not_found",
}


@pytest.fixture(scope="module")
def said(gateway: Stack) -> dict[str, Any]:
    return run(gateway, "supabase_js.ts")


def run(gateway: Stack, script: str) -> dict[str, Any]:
    """What a script of this folder prints: one JSON object."""
    command = [DENO, "run", "--quiet", "--frozen", f"--lock={HERE / 'deno.lock'}"]
    program = ["--allow-net", "--allow-env", str(HERE / script)]
    arguments = [gateway.gateway_url, gateway.publishable_key, gateway.secret_key]
    cache = HERE.parents[1] / ".pilotlight" / "deno"
    environment = os.environ | {"DENO_DIR": str(cache), "DENO_NO_UPDATE_CHECK": "1"}
    done = subprocess.run(
        [*command, *program, *arguments], env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


@pytest.mark.parametrize("what", EXPECTED)
def test_supabase_js_gets_what_it_would_get_hosted(said: dict[str, Any], what: str) -> None:
    assert said[what] == EXPECTED[what]


def test_every_answer_is_expected(said: dict[str, Any]) -> None:
    assert said.keys() == EXPECTED.keys()
