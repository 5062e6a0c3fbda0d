"""Refused requests: one exception, answered in the format of the service that refuses."""

from collections.abc import Callable, Collection, Iterable, Mapping

from starlette.requests import Request
from starlette.responses import JSONResponse, Response


class Refused(Exception):
    """The server declines the request. The client sees the message."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        details: object = None,
        hint: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        # A message may quote a name from the client that UTF-8 cannot encode.
        self.message = message.encode(errors="backslashreplace").decode()
        super().__init__(self.message)
        self.status, self.code = status, code
        self.details, self.hint, self.headers = details, hint, dict(headers or {})


def not_spoken(what: str) -> Refused:
    message = f"The embedded stack does not speak {what}. local/README.md lists what it speaks."
    return Refused(400, "not_implemented", message)


def refuse_unknown(kind: str, given: Iterable[str], known: Collection[str]) -> None:
    """Refuse a name that is not known. An ignored parameter would seem to work."""
    for name in given:
        if name not in known:
            raise not_spoken(f"the {kind} {name}")


def by_auth(refused: Refused) -> Response:
    """Return the answer of Auth.

    Auth's bodies have two forms, by the version in the request. This one has the fields of both.
    """
    code, message = refused.code, refused.message
    headers = {"x-sb-error-code": code, "x-supabase-api-version": "2024-01-01"}
    body = {"code": code, "message": message, "error_code": code, "msg": message}
    return JSONResponse(body, refused.status, headers | refused.headers)


def by_rest(refused: Refused) -> Response:
    body = {
        "code": refused.code,
        "details": refused.details,
        "hint": refused.hint,
        "message": refused.message,
    }
    challenge = {"WWW-Authenticate": "Bearer"} if refused.status == 401 else {}
    return JSONResponse(body, refused.status, challenge | refused.headers)


def by_storage(refused: Refused) -> Response:
    """Return the answer of Storage: 400 except in an outage, with the real status in the body."""
    body = {"statusCode": str(refused.status), "error": refused.code, "message": refused.message}
    return JSONResponse(body, 503 if refused.status == 503 else 400, refused.headers)


def by_functions(refused: Refused) -> Response:
    body = {"code": refused.code, "message": refused.message, "msg": refused.message}
    return JSONResponse(body, refused.status, {"sb-error-code": refused.code})


def by_gateway(refused: Refused) -> Response:
    return JSONResponse({"code": refused.code, "message": refused.message}, refused.status)


DIALECTS: dict[str, Callable[[Refused], Response]] = {
    "auth": by_auth,
    "rest": by_rest,
    "storage": by_storage,
    "functions": by_functions,
}


async def answer(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)  # noqa: S101  # Starlette passes the registered class
    return DIALECTS.get(request.url.path.split("/")[1], by_gateway)(error)
