"""The processes of deploy/: commands of the Procfile, time for a shutdown, no root, no secret."""

import ast
import re
import shlex
import tomllib
from typing import Any

import pytest
import yaml
from honcho.environ import parse_procfile

from settings import Settings
from tests.support.processes import ROOT
from tests.test_architecture import MAY_IMPORT, files, imports

DEPLOY = ROOT / "deploy"
PROCFILE: dict[str, str] = parse_procfile((ROOT / "Procfile").read_text()).processes
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
FLY = tomllib.loads((DEPLOY / "fly.toml").read_text())
OURS = ("bridge", "worker", "flower")
LEAVE_WITHIN = float(Settings.model_fields["shutdown_seconds"].default) + 2


def instructions() -> list[tuple[str, str]]:
    text = re.sub(r"\\\n\s*", "", re.sub(r"^#.*\n", "", (DEPLOY / "Dockerfile").read_text(), flags=re.M))
    return [(line.split(" ", 1)[0], line.split(" ", 1)[1]) for line in text.splitlines() if line]


def of(kind: str) -> list[str]:
    return [rest for name, rest in instructions() if name == kind]


def test_the_image_runs_as_a_user_that_is_not_root() -> None:
    (user,) = of("USER")
    assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", user), "by number, so that an orchestrator can see it"
    names = [name for name, _ in instructions()]
    assert names.index("USER") > max(i for i, name in enumerate(names) if name in ("COPY", "RUN"))


def test_the_image_is_made_of_pinned_things() -> None:
    assert not of("ADD")
    (base,) = [rest for rest in of("ARG") if rest.startswith("BASE=")]
    assert re.search(r":\d+\.\d+[\w.-]*$", base)
    assert all(rest.split()[0] == "${BASE}" for rest in of("FROM"))
    (install,) = [rest for rest in of("RUN") if "pip install" in rest]
    assert "--require-hashes" in install
    assert "--no-cache-dir" in install


def test_the_image_holds_what_runs_and_nothing_else() -> None:
    copied = [part for rest in of("COPY") if "--from" not in rest for part in rest.split()[:-1]]
    assert all((ROOT / path).exists() for path in copied)
    code = {path.removesuffix(".py") for path in copied if path.endswith(".py") or path in MAY_IMPORT}
    assert code == {"settings", "broker", "urls", "logs", "database", "bridge", "tasks", "operate"}
    imported = {name.split(".")[0] for package in code for path in files(package) for name in imports(path)}
    assert imported & (MAY_IMPORT.keys() | {"tests", "bench"}) <= code
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert ignored[ignored.index("*") :][0] == "*", "what is not named does not get in"
    for path in copied:
        assert f"!{path.split('/')[0]}" in ignored


@pytest.mark.parametrize("secret", ["PASSWORD", "TOKEN", "SECRET", "_URL="])
def test_the_image_has_no_secret(secret: str) -> None:
    assert not [rest for kind in ("ENV", "ARG") for rest in of(kind) if secret in rest.upper()]


def test_the_image_answers_signals_as_the_processes_expect() -> None:
    assert of("STOPSIGNAL") == ["SIGTERM"]
    (command,) = of("CMD")
    assert ast.literal_eval(command) == shlex.split(PROCFILE["bridge"]), (
        "in the form without a shell in between"
    )


@pytest.mark.parametrize("kind", ["bridge", "worker"])
def test_every_recipe_starts_the_processes_of_the_procfile(kind: str) -> None:
    assert SERVICES[kind]["command"] == shlex.split(PROCFILE[kind])
    assert shlex.split(FLY["processes"][kind]) == shlex.split(PROCFILE[kind])


def seconds(text: str) -> float:
    assert text.endswith("s")
    return float(text[:-1])


def test_a_process_has_time_to_leave() -> None:
    for kind in ("bridge", "worker"):
        assert seconds(SERVICES[kind]["stop_grace_period"]) >= LEAVE_WITHIN
        assert float(SERVICES[kind]["environment"]["SHUTDOWN_SECONDS"]) + 2 <= LEAVE_WITHIN
    assert FLY["kill_timeout"] >= float(FLY["env"]["SHUTDOWN_SECONDS"]) + 2
    assert FLY["kill_signal"] == "SIGTERM"


def test_compose_has_two_bridges_and_everything_is_watched_and_bounded() -> None:
    assert SERVICES["bridge"]["deploy"]["replicas"] == 2
    for kind in ("bridge", "worker", "redis"):
        assert SERVICES[kind]["healthcheck"]["test"]
        assert SERVICES[kind]["restart"] == "unless-stopped"
        assert SERVICES[kind]["logging"]["options"]["max-size"]
    for kind in ("bridge", "worker"):
        assert SERVICES[kind]["deploy"]["resources"]["limits"]["memory"]
        assert SERVICES[kind]["depends_on"] == {"redis": {"condition": "service_healthy"}}
    for kind in OURS:
        assert SERVICES[kind]["init"], "the children that read media are waited for"
        assert SERVICES[kind]["read_only"]
        assert SERVICES[kind]["cap_drop"] == ["ALL"]


def test_nothing_is_open_to_the_world() -> None:
    ports = [str(port) for service in SERVICES.values() for port in service.get("ports", [])]
    assert ports == ["127.0.0.1:5555:5555"]
    assert "services" not in FLY
    assert "http_service" not in FLY


def test_redis_refuses_to_forget_on_its_own() -> None:
    assert "--maxmemory-policy noeviction" in SERVICES["redis"]["command"]
    assert not SERVICES["redis"]["image"].endswith("latest")


def test_health_and_metrics_are_asked_where_the_bridge_answers() -> None:
    port = int(SERVICES["bridge"]["environment"]["HEALTH_PORT"])
    assert f":{port}/readyz" in SERVICES["bridge"]["healthcheck"]["test"][-1]
    check, (metrics,) = FLY["checks"]["ready"], FLY["metrics"]
    assert (check["port"], check["path"], check["processes"]) == (
        int(FLY["env"]["HEALTH_PORT"]),
        "/readyz",
        ["bridge"],
    )
    assert (metrics["port"], metrics["path"]) == (check["port"], "/metrics")


def test_the_settings_that_the_recipes_name_exist() -> None:
    named = set(FLY["env"]) | {name for kind in OURS for name in SERVICES[kind]["environment"]}
    assert {name.lower() for name in named} <= set(Settings.model_fields)


def test_the_lock_of_flower_has_the_versions_of_production() -> None:
    pins = {
        name: set(
            re.findall(r"^([\w.\[\],-]+==\S+)", (ROOT / "requirements" / f"{name}.txt").read_text(), re.M)
        )
        for name in ("production", "media", "flower", "local")
    }
    assert pins["production"] <= pins["flower"] <= pins["local"]
    assert pins["production"] <= pins["media"]
