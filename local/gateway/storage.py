"""The part of Storage that our clients use. The policies on storage.objects give access."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from local.gateway import downloads, objects, uploads
from local.gateway.calls import Call, EveryOther
from local.gateway.storage_access import acting, names_in

DELETE = """
with gone as (delete from storage.objects where bucket_id = %s and name = any(%s) returning *)
select array_agg(version), coalesce(json_agg(to_jsonb(gone) - 'path_tokens'), '[]') from gone
"""
# First parts of paths that would otherwise match as the name of a bucket.
NO_BUCKETS = ("copy", "info", "list", "list-v2", "move", "public", "upload")


async def remove(request: Request, body: dict[str, Any]) -> Response:
    names = names_in(body, "prefixes")
    async with acting(request) as conn:
        await conn.execute("select set_config('storage.allow_delete_query', 'true', true)")
        deleted = await conn.execute(DELETE, (request.path_params["bucket"], names))
        versions, gone = await deleted.fetchone() or (None, [])
    objects.remove(request.app.state.stack, versions or [])
    return JSONResponse(gone)


async def buckets(request: Request) -> Response:
    async with acting(request) as conn:
        listed = await conn.execute(
            "select coalesce(json_agg(to_jsonb(b) order by id), '[]') from storage.buckets b"
        )
        ((rows,),) = await listed.fetchall()
    return JSONResponse(rows)


routes = [
    *(EveryOther(f"/object/{name}") for name in NO_BUCKETS),
    Call("GET", "/object/authenticated/{bucket}/{name:path}", downloads.download, query={}),
    Call("GET", "/object/sign/{bucket}/{name:path}", downloads.download_signed, query={"token": ()}),
    Call("POST", "/object/sign/{bucket}/{name:path}", downloads.sign, query={}, fields=("expiresIn",)),
    Call("POST", "/object/sign/{bucket}", downloads.sign_many, query={}, fields=("expiresIn", "paths")),
    Call("GET", "/object/{bucket}/{name:path}", downloads.download, query={}),
    Call("POST", "/object/{bucket}/{name:path}", uploads.upload, query={}),
    Call("DELETE", "/object/{bucket}", remove, query={}, fields=("prefixes",)),
    Call("GET", "/bucket", buckets, query={}),
    EveryOther(""),
]
