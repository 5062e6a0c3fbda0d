"""An Expo app of somebody else takes Pilotlight in by `make adopt` and app/README.md alone, and
makes a picture.

Its packages are hard links to those that the lock file of `app/` installed: doing that again takes
a minute. So the type check sees packages that the app does not name; tests/operate/test_adopt.py
holds the printed list to the imports.
"""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from local.stack import ROOT
from tests.app import site as sites
from tests.app.phone import switched_on
from tests.app.system import System
from tests.support.make import make

pytestmark = pytest.mark.processes

README = (ROOT / "app" / "README.md").read_text()
SNIPPET = re.compile(r"<!-- into(, instead)?: (\S+) -->\n```\w+\n(.*?)```", re.DOTALL)
BEFORE = {
    "package.json": json.dumps(
        {
            "name": "my-app",
            "version": "1.0.0",
            "main": "expo-router/entry",
            "dependencies": {
                "expo": "57.0.26",
                "expo-router": "~57.0.24",
                "react": "19.2.3",
                "react-native": "0.86.3",
            },
        }
    ),
    "app.json": json.dumps(
        {
            "expo": {
                "name": "My app",
                "slug": "my-app",
                "scheme": "myapp",
                "web": {"bundler": "metro", "output": "static"},
                "plugins": ["expo-router"],
                "experiments": {"typedRoutes": True, "reactCompiler": True},
            }
        }
    ),
    "tsconfig.json": json.dumps(
        {
            "extends": "expo/tsconfig.base",
            "compilerOptions": {"strict": True},
            "include": ["src", ".expo/types/**/*.ts", "expo-env.d.ts"],
        }
    ),
    "supabase/config.toml": 'project_id = "my-app" # mine\n',
    "supabase/migrations/20250101000000_notes.sql": "create table public.notes (id bigint primary key);\n",
    "supabase/functions/hello/index.ts": "Deno.serve(() => new Response('hello'));\n",
    # A client and a sign-in of its own, for those who have them.
    "src/lib/supabase.ts": """import { createClient } from '@supabase/supabase-js';

export const supabase = createClient(
  process.env.EXPO_PUBLIC_SUPABASE_URL ?? '',
  process.env.EXPO_PUBLIC_SUPABASE_PUBLISHABLE_KEY ?? '',
);
""",
    "src/lib/use-user.ts": """import type { User } from '@supabase/supabase-js';
import { useEffect, useState } from 'react';

import { supabase } from './supabase';

export function useUser(): User | null {
  const [user, setUser] = useState<User | null>(null);
  useEffect(() => {
    const { data } = supabase.auth.onAuthStateChange((_event, session) => setUser(session?.user ?? null));
    return () => data.subscription.unsubscribe();
  }, []);
  return user;
}
""",
}


class Adopted:
    """The app, and how its tools are run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name, text in BEFORE.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
        shutil.copytree(
            sites.APP / "node_modules", folder / "node_modules", copy_function=linked, symlinks=True
        )

    def run(self, *command: str) -> str:
        environment = sites.environment() | sites.STAND_INS
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout

    def mount(self, *, instead: bool) -> None:
        for is_instead, path, code in SNIPPET.findall(README):
            if bool(is_instead) == instead:
                (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
                (self.folder / path).write_text(code)


def linked(source: str, target: str) -> None:
    try:
        Path(target).hardlink_to(source)
    except OSError:  # another file system
        shutil.copy2(source, target)


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Adopted:
    if not (sites.APP / "node_modules" / "expo").exists():
        pytest.skip("the app's packages are not installed: make install-app")
    return Adopted(tmp_path_factory.mktemp("adopted") / "my app")


def adopt(app: Adopted) -> str:
    """As a person runs it; `PYTHON=true` installs nothing, since all is there."""
    done = make("adopt", PYTHON="true", INTO=str(app.folder))
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def website(app: Adopted, system: System) -> Iterator[str]:
    assert "npx expo install" in adopt(app)
    app.mount(instead=False)
    app.run("npx", "expo", "customize", "tsconfig.json")
    app.run("npx", "tsc", "--noEmit")
    # Minifying takes longer than the rest of an export, and the export of our own app is minified.
    app.run("npx", "expo", "export", "--platform", "web", "--output-dir", "dist", "--no-minify")
    with sites.served(system, app.folder / "dist") as url:
        yield url


def test_the_readme_is_enough_for_a_picture_in_another_app(website: str, browser: Browser) -> None:
    with switched_on(browser, website) as phone:
        screen = phone.start().open()
        prompt = screen.page.get_by_role("textbox", name="Prompt")
        screen.until(lambda: screen.page.get_by_text(re.compile(r"^\d+ credits$")).count(), "an account")
        prompt.fill("A lighthouse in the fog")
        screen.page.get_by_role("button", name="Generate").click()
        expect(screen.page.get_by_text("Finished")).to_be_visible()
        image = screen.page.locator("img[src*='/object/sign/generations/']")
        screen.until(
            lambda: image.evaluate("image => image.complete && image.naturalWidth > 0"), "the picture"
        )

        def keys() -> list[str]:
            return list(screen.page.evaluate("() => Object.keys(localStorage)"))

        screen.until(
            lambda: any(key.startswith("my-app.1.gallery.") for key in keys()), "the gallery on disk"
        )
        assert not any(key.startswith("pilotlight") for key in keys())

        # The page was rendered in advance, without a user. The browser has one.
        screen.page.reload()
        expect(screen.page.get_by_text("Finished")).to_be_visible()
        assert screen.problems == []


def test_with_a_client_and_a_sign_in_of_its_own_its_types_fit_too(app: Adopted, website: str) -> None:
    """`session.set` is all that our own sign-in does. A later run leaves their client as it is."""
    app.mount(instead=True)
    app.run("npx", "tsc", "--noEmit")
    assert "Nothing to do" in adopt(app)
    assert "'../../../lib/supabase'" in (app.folder / "src/features/generations/lib/supabase.ts").read_text()
