"""The calls that a service supports, as data.

A call lists the parts of a request that it reads, and refuses all others.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local.gateway.json_body import object_in
from local.gateway.refused import not_spoken, refuse_unknown

Endpoint = Callable[..., Awaitable[Response]]


class Call(Route):
    """One method of one path.

    Args:
        query: the query parameters, each with the values it may have (empty: any). None: the
            endpoint reads them itself.
        fields: the fields of the JSON object that is its body, which the endpoint gets as its
            second argument. None: the call has no body, or the endpoint reads it itself.
    """

    def __init__(
        self,
        method: str,
        path: str,
        endpoint: Endpoint,
        *,
        query: Mapping[str, Collection[str]] | None,
        fields: Collection[str] | None = None,
    ) -> None:
        self.query, self.fields = query, fields

        async def call(request: Request) -> Response:
            if query is not None:
                check_query(request, query)
            if fields is None:
                return await endpoint(request)
            body = object_in(await request.body())
            refuse_unknown("body field", body, fields)
            return await endpoint(request, body)

        super().__init__(path, call, methods=[method])
        self.methods = {method}  # without the HEAD that Starlette adds to GET


def check_query(request: Request, query: Mapping[str, Collection[str]]) -> None:
    """Refuse query parameters and values that a call does not list.

    Every service also accepts the API key as a query parameter.
    """
    refuse_unknown("query parameter", request.query_params, (*query, "apikey"))
    for name, value in request.query_params.multi_items():
        if query.get(name) and value not in query[name]:
            raise not_spoken(f"the query parameter {name}={value}")


async def unknown_call(request: Request) -> Response:
    raise not_spoken(f"{request.method} {request.url.path}")


class EveryOther(Route):
    """A route that refuses every method of every path below `path`."""

    def __init__(self, path: str) -> None:
        super().__init__(f"{path}/{{rest:path}}", unknown_call)
        self.methods = None
