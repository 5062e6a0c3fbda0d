"""One address for all services, as on hosted Supabase.

It makes the same checks before every service as the hosted gateway.
"""

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.routing import Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from local.gateway import auth, calls, database, functions, keys, realtime, refused, rest, storage
from local.stack import Stack

MAX_BODY_BYTES = 51 * 1024 * 1024  # the largest object (50 MB) and its form
NEEDS_NO_KEY = re.compile(r"/auth/v1/(\.well-known/|health$)|/storage/v1/object/sign/")


class ApiKey:
    """Require a key of the project, except for public resources and signed URLs."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        try:
            if request.method != "GET" or not NEEDS_NO_KEY.match(request.url.path):
                check_key(request)
        except refused.Refused as error:
            # Returned inside the CORS middleware, so that a browser may read the answer.
            return await refused.by_gateway(error)(scope, receive, send)
        await self.app(scope, receive, send)


def check_key(request: Request) -> None:
    apikey = keys.apikey_of(request)
    role = keys.key_role(request.app.state.stack, apikey)
    if apikey is None:
        raise refused.Refused(401, "unauthorized", "No API key found in request")
    if role is None:
        raise refused.Refused(401, "unauthorized", "Invalid API key")
    if role == "service_role" and request.headers.get("user-agent", "").startswith("Mozilla/"):
        raise refused.Refused(401, "unauthorized", "Forbidden use of secret API key in browser")


# Functions answer OPTIONS themselves, so this wraps the other services only.
GATEWAY = [
    Middleware(
        CORSMiddleware,
        allow_origins=["*"],
        allow_methods=["*"],
        allow_headers=["*"],
        expose_headers=["Retry-After", "x-sb-error-code", "x-supabase-api-version"],
    ),
    Middleware(ApiKey),
]


def build(stack: Stack) -> Starlette:
    app = Starlette(
        routes=[
            Mount("/auth/v1", routes=auth.routes, middleware=GATEWAY),
            Mount("/rest/v1", routes=rest.routes, middleware=GATEWAY),
            Mount("/storage/v1", routes=storage.routes, middleware=GATEWAY),
            *functions.routes,
            *realtime.routes,
            Mount("/", routes=[calls.EveryOther("")], middleware=GATEWAY),
        ],
        exception_handlers={refused.Refused: refused.answer},
        lifespan=pools,
        max_body_size=MAX_BODY_BYTES,
    )
    app.state.stack = stack
    return app


@asynccontextmanager
async def pools(app: Starlette) -> AsyncIterator[None]:
    """Open a pool for each service, with a login of its own, as on hosted Supabase.

    So Auth cannot read the tables of Storage.
    """
    stack: Stack = app.state.stack
    async with AsyncExitStack() as opened:
        app.state.data_pool = await opened.enter_async_context(database.pool(stack.authenticator_url))
        app.state.auth_pool = await opened.enter_async_context(database.pool(stack.auth_url))
        app.state.storage_pool = await opened.enter_async_context(database.pool(stack.storage_url))
        await opened.enter_async_context(functions.client(app))
        yield
