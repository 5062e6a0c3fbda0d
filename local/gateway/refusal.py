"""An answer that is not the one asked for, in the dialect of the service that gives it."""

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import JSONResponse, Response


class Refusal(Exception):
    def __init__(
        self, status: int, body: Mapping[str, object], headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(status, body)
        self.status, self.body, self.headers = status, body, headers


async def answer(request: Request, refusal: Exception) -> Response:
    assert isinstance(refusal, Refusal)  # noqa: S101  # Starlette passes what it was registered for
    return JSONResponse(refusal.body, refusal.status, refusal.headers)
