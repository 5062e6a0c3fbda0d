"""The least Expo app: Expo Router and one text. Our app is measured against it."""

import json
import shutil
import subprocess

from local.stack import ROOT
from tests.app.site import APP, STDERR, environment

FOLDER = ROOT / ".pilotlight" / "app" / "blank"
EXPORT = FOLDER / "dist"
SCREEN = """import { Text, View } from 'react-native';

export default function Blank() {
  return <View><Text testID="blank">Blank</Text></View>;
}
"""
METRO = """const { getDefaultConfig } = require('expo/metro-config');
const config = getDefaultConfig(__dirname);
module.exports = { ...config, watchFolders: [process.env.APP_FOLDER] };
"""


def make() -> None:
    """With the packages of ours, so that both have the same versions."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    screens = FOLDER / "src" / "app"
    screens.mkdir(parents=True)
    (screens / "index.tsx").write_text(SCREEN)
    (FOLDER / "metro.config.js").write_text(METRO)
    (FOLDER / "node_modules").symlink_to(APP / "node_modules")
    ours = json.loads((APP / "app.json").read_text())["expo"]
    app = {
        "name": "blank",
        "slug": "blank",
        "scheme": "blank",
        "web": {"bundler": "metro", "output": "single"},
    }
    app |= {"plugins": ["expo-router"], "experiments": ours["experiments"]}
    (FOLDER / "app.json").write_text(json.dumps({"expo": app}))
    package = json.loads((APP / "package.json").read_text())
    (FOLDER / "package.json").write_text(json.dumps({**package, "name": "blank"}))
    npx = shutil.which("npx", path=environment()["PATH"])
    assert npx is not None
    command = [npx, "expo", "export", "--platform", "web", "--output-dir", str(EXPORT)]
    subprocess.run(
        command, cwd=FOLDER, env={**environment(), "APP_FOLDER": str(APP)}, check=True, stdout=STDERR
    )
