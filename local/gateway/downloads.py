"""Downloads by a caller who may read the object's row, or by a URL that such a caller signed."""

from typing import Any

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response

from local.gateway import keys, objects
from local.gateway.database import transaction
from local.gateway.refused import Refused
from local.gateway.storage_access import acting, address, names_in, whole_number

FIND = "select version, metadata from storage.objects where bucket_id = %s and name = %s"
MISSING = "Either the object does not exist or you do not have access to it"


async def download(request: Request) -> Response:
    async with acting(request) as conn:
        found = await (await conn.execute(FIND, address(request))).fetchone()
    return served(request, found)


async def download_signed(request: Request) -> Response:
    try:
        claims = keys.verify(request.app.state.stack, request.query_params.get("token", ""))
    except keys.InvalidToken as error:
        raise Refused(400, "InvalidJWT", str(error)) from None
    if claims.get("url") != "/".join(address(request)):
        raise Refused(400, "InvalidSignature", "The token is for another object")
    async with transaction(request.app.state.storage_pool) as conn:
        found = await (await conn.execute(FIND, address(request))).fetchone()
    return served(request, found)


async def sign(request: Request, body: dict[str, Any]) -> Response:
    bucket, name = address(request)
    seconds = whole_number(body, "expiresIn")
    async with acting(request) as conn:
        if await (await conn.execute(FIND, (bucket, name))).fetchone() is None:
            raise Refused(404, "not_found", "Object not found")
    return JSONResponse({"signedURL": signed_url(request, bucket, name, seconds)})


async def sign_many(request: Request, body: dict[str, Any]) -> Response:
    bucket = request.path_params["bucket"]
    seconds, names = whole_number(body, "expiresIn"), names_in(body, "paths")
    async with acting(request) as conn:
        visible = "select name from storage.objects where bucket_id = %s and name = any(%s)"
        found = {name for (name,) in await (await conn.execute(visible, (bucket, names))).fetchall()}
    return JSONResponse(
        [
            {
                "path": name,
                "error": None if name in found else MISSING,
                "signedURL": signed_url(request, bucket, name, seconds) if name in found else None,
            }
            for name in names
        ]
    )


def served(request: Request, found: tuple[Any, ...] | None) -> Response:
    if found is None:
        raise Refused(404, "not_found", "Object not found")
    version, metadata = found
    headers = {"etag": metadata["eTag"], "cache-control": metadata["cacheControl"]}
    if request.headers.get("if-none-match") == metadata["eTag"]:
        return Response(status_code=304, headers=headers)
    path = objects.path_of(request.app.state.stack, version)
    return FileResponse(path, headers=headers, media_type=metadata["mimetype"])


def signed_url(request: Request, bucket: str, name: str, seconds: int) -> str:
    token = keys.sign(request.app.state.stack, {"url": f"{bucket}/{name}"}, seconds=seconds)
    return f"/object/sign/{bucket}/{name}?token={token}"
