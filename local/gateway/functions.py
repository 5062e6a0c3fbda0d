"""Requests to /functions/v1/<name>, forwarded to the Deno process of that function.

The function gets the path /<name>.
"""

import tomllib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path

import httpx
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from local.gateway.keys import InvalidToken, apikey_of, bearer_of, identify
from local.gateway.refused import Refused

CONFIG = Path(__file__).parents[2] / "supabase" / "config.toml"
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
# Hosted, a client gets a 504 from a function that has not answered after 150 s.
FUNCTION_TIMEOUT = httpx.Timeout(150, connect=2)

# These headers apply to one connection only, so they are not forwarded to the other one.
HOP_BY_HOP = {"connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "host"}


async def call(request: Request) -> Response:
    name = request.path_params["name"]
    port = request.app.state.stack.function_ports.get(name)
    if port is None:
        raise Refused(404, "NOT_FOUND", "Requested function was not found")
    try:
        if request.method != "OPTIONS" and wants_token(name):
            check_token(request)
        return await passed_on(request, f"http://127.0.0.1:{port}{target_of(request)}")
    except httpx.ConnectError:
        raise Refused(503, "BOOT_ERROR", f"Function {name} failed to start: see its log") from None
    except httpx.TimeoutException:
        raise Refused(504, "IDLE_TIMEOUT", "The function did not answer in time") from None
    except httpx.TransportError:
        raise Refused(500, "WORKER_ERROR", "The function ended before it answered") from None


@asynccontextmanager
async def client(app: Starlette) -> AsyncIterator[None]:
    """Open one client for the lifetime of the app, because making one takes longer than a call.

    Each call makes a new connection, because Deno may restart.
    """
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
    async with httpx.AsyncClient(timeout=FUNCTION_TIMEOUT, limits=limits, trust_env=False) as opened:
        app.state.functions_client = opened
        yield


async def passed_on(request: Request, url: str) -> Response:
    client: httpx.AsyncClient = request.app.state.functions_client
    headers = [(key, value) for key, value in request.headers.raw if key.decode() not in HOP_BY_HOP]
    outgoing = client.build_request(request.method, url, headers=headers, content=body_of(request))
    answer = await client.send(outgoing, stream=True)
    response = StreamingResponse(
        answer.aiter_raw(), answer.status_code, background=BackgroundTask(answer.aclose)
    )
    kept = [(key, value) for key, value in answer.headers.raw if key.decode().lower() not in HOP_BY_HOP]
    response.raw_headers = kept
    return response


def target_of(request: Request) -> str:
    """Return path and query as the client sent them, without our prefix."""
    path: str = request.scope["raw_path"].decode().removeprefix("/functions/v1")
    return f"{path}?{request.url.query}" if request.url.query else path


def body_of(request: Request) -> AsyncIterator[bytes] | None:
    """Return the body as a stream, or None for a request without a body.

    An empty stream would still be announced as a body.
    """
    has_body = "content-length" in request.headers or "transfer-encoding" in request.headers
    return request.stream() if has_body else None


def check_token(request: Request) -> None:
    """Require a user's token, or else an API key of the project.

    The CLI's local runtime requires the same with verify_jwt. So a publishable key alone passes,
    and a function must check its caller itself.
    """
    token, apikey = bearer_of(request), apikey_of(request)
    if token is not None and token.startswith("sb_"):
        token, apikey = None, token
    if token is None and apikey is None:
        raise Refused(401, "UNAUTHORIZED_NO_AUTH_HEADER", "Missing authorization header")
    try:
        stack = request.app.state.stack
        identify(stack, apikey if token is None else stack.publishable_key, token)
    except InvalidToken as error:
        raise Refused(401, "UNAUTHORIZED_INVALID_JWT_FORMAT", f"Invalid JWT: {error}") from error


@cache
def wants_token(name: str) -> bool:
    config = tomllib.loads(CONFIG.read_text()).get("functions", {})
    return bool(config.get(name, {}).get("verify_jwt", True))


routes: list[BaseRoute] = [
    Route("/functions/v1/{name:str}{rest:path}", call, methods=METHODS),
]
