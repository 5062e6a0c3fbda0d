"""`docs/client.ts` is a client: it draws a placeholder, then the picture, against the running
system.
"""

import json
from pathlib import Path

import httpx
import pytest

from local import stack
from local.stack import ROOT
from tests.support import deno
from tests.support.up import up, wait_ready

pytestmark = pytest.mark.processes


def test_the_minimal_client_gets_from_the_tap_to_the_picture(tmp_path: Path) -> None:
    with up(tmp_path) as process:
        wait_ready(tmp_path, process)
        made = stack.load(tmp_path)
        arguments = [made.gateway_url, made.publishable_key, "a fox in the snow"]
        said = deno.run(ROOT / "docs" / "client.ts", *arguments, timeout=60)
        first, *_, last = [json.loads(line) for line in said.splitlines()]
        assert (first["status"], last["status"]) == ("sending", "succeeded")
        assert first["input"] == last["input"] == {"prompt": "a fox in the snow"}
        assert httpx.get(last["picture"], trust_env=False).headers["content-type"] == "image/jpeg"
