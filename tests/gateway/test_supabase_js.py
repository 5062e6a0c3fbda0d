"""The API of the gateway through the real supabase-js, under Deno."""

import json
from pathlib import Path
from typing import Any

import pytest

from local.stack import Stack
from tests.support import deno

HERE = Path(__file__).parent

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


def run(gateway: Stack, script: str, *more: str) -> dict[str, Any]:
    """Run a script of this folder, and return the one JSON object that it prints."""
    keys = (gateway.publishable_key, gateway.secret_key)
    result: dict[str, Any] = json.loads(deno.run(HERE / script, gateway.gateway_url, *keys, *more))
    return result


@pytest.mark.parametrize("what", EXPECTED)
def test_supabase_js_gets_what_it_would_get_hosted(said: dict[str, Any], what: str) -> None:
    assert said[what] == EXPECTED[what]


def test_every_answer_is_expected(said: dict[str, Any]) -> None:
    assert said.keys() == EXPECTED.keys()
