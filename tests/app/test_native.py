"""The permissions of a native build, as `expo prebuild` would write them, and faults that stop a
build.
"""

import json
import shutil
import subprocess
from typing import Any

import pytest

from tests.app.site import APP, STAND_INS, environment

pytestmark = pytest.mark.processes

ASKED_FOR = {
    "INTERNET",
    "VIBRATE",
    "SYSTEM_ALERT_WINDOW",
    "MODIFY_AUDIO_SETTINGS",
}  # none of them asks the user


@pytest.fixture(scope="module")
def native() -> dict[str, Any]:
    npm = shutil.which("npm", path=environment()["PATH"])
    if npm is None or not (APP / "node_modules" / "expo").exists():
        pytest.skip("the app's packages are not installed: make install-app")
    command = [npm, "exec", "--", "expo", "config", "--type", "introspect", "--json"]
    said = subprocess.run(command, cwd=APP, env=environment(), check=True, stdout=subprocess.PIPE, text=True)
    results: dict[str, Any] = json.loads(said.stdout)["_internal"]["modResults"]
    return results


def test_android_asks_for_nothing_that_the_app_does_not_use(native: dict[str, Any]) -> None:
    manifest = native["android"]["manifest"]["manifest"]
    permissions = [permission["$"] for permission in manifest["uses-permission"]]
    asked = {
        named["android:name"].split(".")[-1] for named in permissions if named.get("tools:node") != "remove"
    }
    assert asked == ASKED_FOR
    # A backup in the cloud would carry the session and unsent requests to another phone.
    assert manifest["application"][0]["$"]["android:allowBackup"] == "false"


def test_ios_says_why_it_uses_camera_and_photos_and_plays_nothing_in_the_background(
    native: dict[str, Any],
) -> None:
    plist = native["ios"]["infoPlist"]
    # a start photo; "Save Image"
    asked = {"NSCameraUsageDescription", "NSPhotoLibraryAddUsageDescription"}
    assert {key for key in plist if key.endswith("UsageDescription")} == asked
    assert plist["UIBackgroundModes"] == []


SECRET_TOKEN = "e30.eyJyb2xlIjoic2VydmljZV9yb2xlIn0.c2ln"  # {"role":"service_role"}


@pytest.mark.parametrize(
    ("values", "cure"),
    [
        ({"EXPO_PUBLIC_SUPABASE_URL": ""}, "copy app/.env.example to app/.env"),
        ({"EXPO_PUBLIC_SUPABASE_PUBLISHABLE_KEY": ""}, "copy app/.env.example to app/.env"),
        ({"EXPO_PUBLIC_SUPABASE_URL": "abcdefgh.supabase.co"}, "it begins with https://"),
        ({"EXPO_PUBLIC_SUPABASE_PUBLISHABLE_KEY": "sb_secret_x"}, "take the publishable one"),
        ({"EXPO_PUBLIC_SUPABASE_PUBLISHABLE_KEY": SECRET_TOKEN}, "take the publishable one"),
    ],
)
def test_a_build_that_could_not_start_fails(values: dict[str, str], cure: str) -> None:
    node = shutil.which("node", path=environment()["PATH"])
    if node is None or not (APP / "node_modules" / "expo").exists():
        pytest.skip("the app's packages are not installed: make install-app")
    command = [node, "-e", "require('./metro.config.js')"]
    said = subprocess.run(
        command, cwd=APP, env={**environment(), **STAND_INS, **values}, capture_output=True, text=True
    )
    assert said.returncode != 0
    assert cure in said.stderr
