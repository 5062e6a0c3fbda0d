"""`docs/client.ts` is a client: it draws a placeholder, then the picture, against the running system."""

import json
import os
import subprocess
from pathlib import Path

import httpx
import pytest

from local import stack
from local.processes import EVERYWHERE
from local.stack import ROOT
from tests.local.test_stack import up, wait_ready

pytestmark = pytest.mark.processes

LOCK = ROOT / "tests" / "gateway" / "deno.lock"


def test_the_minimal_client_gets_from_the_tap_to_the_picture(tmp_path: Path) -> None:
    with up(tmp_path) as process:
        wait_ready(tmp_path, process)
        made = stack.load(tmp_path)
        command = ["deno", "run", "--quiet", "--frozen", f"--lock={LOCK}", "--allow-net", "--allow-env"]
        arguments = ["docs/client.ts", made.gateway_url, made.publishable_key, "a fox in the snow"]
        environment = os.environ | EVERYWHERE
        run = subprocess.run(
            [*command, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60
        )
        assert run.returncode == 0, run.stderr
        first, *_, last = [json.loads(line) for line in run.stdout.splitlines()]
        assert (first["status"], last["status"]) == ("sending", "succeeded")
        assert first["input"] == last["input"] == {"prompt": "a fox in the snow"}
        assert httpx.get(last["picture"], trust_env=False).headers["content-type"] == "image/jpeg"
