"""`make adopt` brings all of it or nothing, and never changes what is an app's own."""

import json
import re
import tomllib
from pathlib import Path

import pytest

from operate import adopt, adopted_client
from operate.adopt import CONFIG, FUNCTIONS, MIGRATIONS, ROOT

CLIENT = Path("src/features/generations")
OWN_MIGRATION = "create table public.notes (id bigint primary key);\n"
# As `supabase init` writes it, in short, and with functions of its own.
OWN_CONFIG = """# The project of my app
project_id = "my-app"

[api]
port = 54331 # another project has the usual one

[auth]
enabled = true
site_url = "http://127.0.0.1:3000"

[edge_runtime]
policy = "per_worker"

[functions.hello]
verify_jwt = true
"""


@pytest.fixture
def app(tmp_path: Path) -> Path:
    return new_app(tmp_path / "my app")


def new_app(folder: Path) -> Path:
    for path, text in {
        Path("package.json"): json.dumps(
            {"name": "my-app", "dependencies": {"expo": "57.0.26", "valibot": "1"}}
        ),
        Path("src/lib/supabase.ts"): "export const supabase = 'mine';\n",
        CONFIG: OWN_CONFIG,
        MIGRATIONS / "20270101000000_notes.sql": OWN_MIGRATION,
        FUNCTIONS / "hello/index.ts": "Deno.serve(() => new Response('hello'));\n",
        FUNCTIONS / "_shared/cors.ts": "export const cors = {};\n",
    }.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def refused(capsys: pytest.CaptureFixture[str], into: str) -> str:
    assert adopt.main([into]) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    return shown.err


def test_all_that_is_needed_is_copied_and_what_was_there_is_as_it_was(
    app: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = contents(app)
    assert adopt.main([str(app)]) == 0
    said, now = capsys.readouterr().out, contents(app)
    assert {path: now[path] for path in before if path != str(CONFIG)} == {
        path: text for path, text in before.items() if path != str(CONFIG)
    }
    for path in [*(ROOT / MIGRATIONS).glob("*.sql"), *(ROOT / FUNCTIONS).rglob("*.ts")]:
        assert now[str(path.relative_to(ROOT))] == path.read_bytes()
    assert "export const NAME = 'my-app';" in (app / CLIENT / "lib/name.ts").read_text()
    assert re.findall(r"^  (\d)\. ", said, re.M) == ["1", "2", "3", "4", "5"]
    assert "db push --include-all" in said, "its own migration is newer"
    assert "valibot" not in said.split("npx expo install ")[1].splitlines()[0], "it is there already"

    assert adopt.main([str(app)]) == 0
    assert "Nothing to do" in capsys.readouterr().out
    assert contents(app) == now


def test_the_client_imports_its_own_folder_and_named_packages_alone(app: Path) -> None:
    assert adopt.main([str(app)]) == 0
    assert all((app / CLIENT / f"lib/{name}.ts").exists() for name in adopted_client.MOUNTED)
    for file in (app / CLIENT).rglob("*.ts*"):
        assert ".test." not in file.name
        for name in re.findall(r"""(?:from|import) ['"]([^'"]+)['"]""", file.read_text()):
            if name.startswith("."):
                module = (file.parent / name).resolve()
                assert module.is_relative_to((app / CLIENT).resolve()), f"{file.name} imports {name}"
                assert list(module.parent.glob(f"{module.name}.*")), f"{file.name} imports {name}"
            else:
                package = "/".join(name.split("/")[: 2 if name.startswith("@") else 1])
                assert package in adopted_client.packages() | adopted_client.EVERY_EXPO_APP_HAS, name


def test_an_app_without_src_gets_the_client_at_its_root(tmp_path: Path) -> None:
    app = new_app(tmp_path)
    (app / "src").rename(app / "sources")
    assert adopt.main([str(app)]) == 0
    assert (app / "features/generations/lib/supabase.ts").exists()


def test_the_lines_of_the_config_are_added_and_its_own_stay(app: Path) -> None:
    assert adopt.main([str(app)]) == 0
    text = (app / CONFIG).read_text()
    assert [line for line in text.splitlines() if line in OWN_CONFIG.splitlines() and line] == [
        line for line in OWN_CONFIG.splitlines() if line
    ]
    config = tomllib.loads(text)
    assert {name for name, one in config["functions"].items() if not one["verify_jwt"]} == {
        "ping", "enqueue_generation", "get_job_status", "provider_webhook", "purchase_webhook"
    }  # fmt: skip
    assert config["functions"]["hello"]["verify_jwt"]
    assert config["auth"] == {"enable_anonymous_sign_ins": True, **tomllib.loads(OWN_CONFIG)["auth"]}
    assert config["edge_runtime"]["secrets"] == {"TOKEN_ISSUER": "http://127.0.0.1:54331/auth/v1"}


@pytest.mark.parametrize(
    ("tsconfig", "is_named"),
    [
        # takes in all, as that of Expo's blank template
        ('{"extends": "expo/tsconfig.base"}', True),
        ('{"include": ["**/*.ts"], "compilerOptions": {"paths": {"@supabase": ["./x"]}}}', True),
        ('{"include": ["./**/*"]}', True),
        ('{"include": ["."] /* all */}', True),
        ('{"include": ["src"]}', False),
        ('{"files": ["index.ts"]}', False),
        ('{"extends": "expo/tsconfig.base", "exclude": ["node_modules", "supabase"]}', False),
        ('{"include": ["**/*.ts"], "exclude": ["supabase/**"]}', False),
    ],
)
def test_a_type_check_that_takes_in_the_edge_functions_is_named(
    app: Path, capsys: pytest.CaptureFixture[str], tsconfig: str, is_named: bool
) -> None:
    (app / "tsconfig.json").write_text(tsconfig)
    assert adopt.main([str(app)]) == 0
    assert ("tsconfig.json takes in supabase/" in capsys.readouterr().out) is is_named


def test_windows_line_ends_of_the_config_stay(app: Path) -> None:
    (app / CONFIG).write_text(OWN_CONFIG, newline="\r\n")
    assert adopt.main([str(app)]) == 0
    text = (app / CONFIG).read_bytes()
    assert text.count(b"\n") == text.count(b"\r\n") > OWN_CONFIG.count("\n")


def test_anonymous_sign_ins_that_are_off_stay_off_and_are_named(
    app: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (app / CONFIG).write_text(OWN_CONFIG.replace("[auth]", "[auth]\nenable_anonymous_sign_ins = false"))
    assert adopt.main([str(app)]) == 0
    assert "Anonymous sign-ins are off" in capsys.readouterr().out
    assert not tomllib.loads((app / CONFIG).read_text())["auth"]["enable_anonymous_sign_ins"]


def test_a_file_that_the_app_changed_stays_as_it_is(app: Path) -> None:
    assert adopt.main([str(app)]) == 0
    for name in adopted_client.OF_THE_APP:
        (app / CLIENT / name).write_text("// mine\n")
    assert adopt.main([str(app)]) == 0
    assert {(app / CLIENT / name).read_text() for name in adopted_client.OF_THE_APP} == {"// mine\n"}


OURS = sorted(path.name for path in (ROOT / MIGRATIONS).glob("*.sql"))
IN_THE_WAY = [
    (MIGRATIONS / OURS[0], "-- edited\n", OURS[0]),
    (MIGRATIONS / f"{OURS[0][:14]}_other.sql", "-- mine\n", f"has the version of {OURS[0]}"),
    (
        MIGRATIONS / "20250101000000_a.sql",
        'CREATE TABLE IF NOT EXISTS "public"."jobs" ();',
        "makes public.jobs",
    ),
    (MIGRATIONS / "20250101000000_a.sql", "create table generations (id int);", "makes public.generations"),
    (MIGRATIONS / "20250101000000_a.sql", "create schema if not exists private;", "makes the schema private"),
    (MIGRATIONS / "20250101000000_a.sql", "create type job_status as enum ();", "makes public.job_status"),
    (
        MIGRATIONS / "20250101000000_a.sql",
        "insert into storage.buckets (id, name) values ('inputs', 'inputs');",
        "makes the bucket inputs",
    ),
    (FUNCTIONS / "_shared/http.ts", "// mine\n", "_shared/http.ts"),
    (FUNCTIONS / "ping/main.ts", "// mine\n", "functions/ping"),
    (CLIENT / "api.ts", "// mine\n", "src/features/generations/api.ts"),
    (CLIENT / "api.ts/index.ts", "// mine\n", "src/features/generations/api.ts"),
    (Path("src/features/generations"), "a file", "src/features/generations is a file"),
    (
        CONFIG,
        OWN_CONFIG + "[functions.ping]\nverify_jwt = true\n",
        "[functions.ping] must say verify_jwt = false",
    ),
    (CONFIG, OWN_CONFIG + "[functions.ping]\n", "[functions.ping] must say verify_jwt = false"),
    (CONFIG, OWN_CONFIG.replace('policy = "per_worker"', "secrets = {}"), "write `functions`"),
]


@pytest.mark.parametrize(("path", "text", "said"), IN_THE_WAY, ids=[said for _, _, said in IN_THE_WAY])
def test_a_conflicting_file_is_named_and_nothing_is_written(
    app: Path, capsys: pytest.CaptureFixture[str], path: Path, text: str, said: str
) -> None:
    (app / path).parent.mkdir(parents=True, exist_ok=True)
    (app / path).write_text(text)
    before = contents(app)
    told = refused(capsys, str(app))
    assert said in told
    assert "Nothing was written" in told
    assert contents(app) == before


def test_every_collision_is_named_at_once(app: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path, text, _ in (IN_THE_WAY[0], IN_THE_WAY[7], IN_THE_WAY[9]):
        (app / path).parent.mkdir(parents=True, exist_ok=True)
        (app / path).write_text(text)
    told = refused(capsys, str(app))
    assert all(said in told for _, _, said in (IN_THE_WAY[0], IN_THE_WAY[7], IN_THE_WAY[9]))


def test_a_table_that_was_dropped_again_is_no_conflict(app: Path) -> None:
    (app / MIGRATIONS / "20250101000000_a.sql").write_text("create table jobs (id int); drop table jobs;")
    assert adopt.main([str(app)]) == 0


def test_a_wrong_folder_is_named_with_its_cure(
    app: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "INTO is missing: make adopt INTO=" in refused(capsys, "")
    assert "There is no folder" in refused(capsys, str(tmp_path / "nowhere"))
    assert "There is no folder" in refused(capsys, str(app / "package.json"))
    assert "npx create-expo-app" in refused(capsys, str(tmp_path))
    for inside in (ROOT, ROOT / "app"):
        assert "lies in this repository" in refused(capsys, str(inside))
    (link := tmp_path / "link").symlink_to(ROOT / "app")
    assert "lies in this repository" in refused(capsys, str(link))
    for text in ("{", "[]", '{"dependencies": {"next": "1"}}', '{"dependencies": null}'):
        (app / "package.json").write_text(text)
        assert "is no Expo app" in refused(capsys, str(app))
    new_app(app)
    (app / CONFIG).write_text("[auth\n")
    assert "is not TOML" in refused(capsys, str(app))
    (app / CONFIG).unlink()
    assert "run `npx supabase@3 init` there" in refused(capsys, str(app))


def test_a_folder_that_cannot_be_written_is_named_first(
    app: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root may write everywhere, so the system's own answer is replaced."""
    monkeypatch.setattr("os.access", lambda path, _: "functions" not in str(path))
    assert "functions is read-only" in refused(capsys, str(app))
    assert not (app / CLIENT).exists()


def test_a_disk_that_fills_up_leaves_the_app_as_it_was(
    app: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before, write = contents(app), Path.write_text

    def write_most(path: Path, text: str, **options: str) -> int:
        if path.name == CONFIG.name:
            raise OSError(28, "No space left on device")
        return write(path, text, **options)

    monkeypatch.setattr(Path, "write_text", write_most)
    assert "No space left" in refused(capsys, str(app))
    assert contents(app) == before
