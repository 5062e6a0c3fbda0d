import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from local import stack as stacks
from local.gateway import functions
from local.gateway.keys import AUDIENCE, issuer, sign
from local.gateway.refused import Refused, answer
from local.stack import Stack
from tests.local.serving import served


class Echo(BaseHTTPRequestHandler):
    """Stands for a function's Deno process and says how it was called."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
        said = {"path": self.path, "body": body, "authorization": self.headers.get("authorization")}
        self.send_response(202)
        self.send_header("x-own", "yes")
        self.end_headers()
        self.wfile.write(json.dumps(said).encode())

    do_OPTIONS = do_GET = do_POST

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def gateway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    config = tmp_path / "config.toml"
    config.write_text("[functions.open]\nverify_jwt = false\n")
    monkeypatch.setattr(functions, "CONFIG", config)
    functions.wants_token.cache_clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    threading.Thread(target=server.serve_forever, args=(0.05,)).start()
    ports = {"open": server.server_port, "closed": server.server_port, "down": stacks.free_port(0, set())}
    stack = replace(stacks.with_free_ports(stacks.create(tmp_path)), function_ports=ports)
    handlers = {Refused: answer}
    app = Starlette(routes=functions.routes, lifespan=functions.client, exception_handlers=handlers)
    app.state.stack = stack
    with served(app, stack):
        yield stack
    server.shutdown()
    server.server_close()
    functions.wants_token.cache_clear()


def call(stack: Stack, path: str, method: str = "POST", **headers: str) -> httpx.Response:
    content = b"hello" if method == "POST" else None
    url = f"{stack.gateway_url}/functions/v1/{path}"
    return httpx.request(method, url, headers=headers, content=content, trust_env=False)


def test_a_function_gets_its_path_query_body_and_authorization(gateway: Stack) -> None:
    answer = call(gateway, "open/a%2Fb?c=d%20e", authorization="Bearer x")
    assert (answer.status_code, answer.headers["x-own"]) == (202, "yes")
    assert answer.json() == {"path": "/open/a%2Fb?c=d%20e", "body": "hello", "authorization": "Bearer x"}
    assert call(gateway, "open").json()["path"] == "/open"


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("nobody", 404, "NOT_FOUND"),
        ("openly", 404, "NOT_FOUND"),
        ("down", 401, "UNAUTHORIZED_NO_AUTH_HEADER"),
        ("closed", 401, "UNAUTHORIZED_NO_AUTH_HEADER"),
    ],
)
def test_a_function_that_cannot_be_called_names_the_reason(
    gateway: Stack, path: str, status: int, code: str
) -> None:
    answer = call(gateway, path)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_function_whose_process_is_down_is_a_boot_error(gateway: Stack) -> None:
    answer = call(gateway, "down", apikey=gateway.publishable_key)
    assert (answer.status_code, answer.json()["code"]) == (503, "BOOT_ERROR")


def test_verify_jwt_takes_a_user_or_an_api_key_and_lets_preflights_pass(gateway: Stack) -> None:
    claims = {"iss": issuer(gateway), "aud": AUDIENCE, "role": "authenticated", "sub": "somebody"}
    token = sign(gateway, claims, seconds=60)
    assert call(gateway, "closed", authorization=f"Bearer {token}").status_code == 202
    assert call(gateway, "closed", apikey=gateway.publishable_key).status_code == 202
    assert call(gateway, "closed", authorization=f"Bearer {gateway.secret_key}").status_code == 202
    assert call(gateway, "closed", "OPTIONS").status_code == 202


@pytest.mark.parametrize("wrong", ["Bearer nonsense", "Bearer sb_publishable_wrong"])
def test_verify_jwt_refuses_what_is_not_ours_even_beside_a_good_key(gateway: Stack, wrong: str) -> None:
    assert call(gateway, "closed", authorization=wrong).status_code == 401
