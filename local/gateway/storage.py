"""Storage, as far as our clients use it. Whether a caller may, the policies on storage.objects decide."""

from typing import Any

from psycopg import sql
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.gateway import downloads, objects, uploads
from local.gateway.storage_access import acting, address, names_in, object_in, refused, whole_number

INFO = """
select json_build_object(
  'id', id, 'name', name, 'version', version, 'bucket_id', bucket_id, 'size', metadata -> 'size',
  'content_type', metadata -> 'mimetype', 'cache_control', metadata -> 'cacheControl', 'etag', metadata -> 'eTag',
  'metadata', user_metadata, 'last_modified', updated_at, 'created_at', created_at)
from storage.objects where bucket_id = %s and name = %s
"""
DELETE = """
with gone as (delete from storage.objects where bucket_id = %s and name = any(%s) returning *)
select array_agg(version), coalesce(json_agg(to_jsonb(gone) - 'path_tokens'), '[]') from gone
"""
LIST = """
select coalesce(json_agg(page), '[]') from (
  select * from (
    select distinct o.path_tokens[%(level)s] as name, f.id, f.updated_at, f.created_at, f.last_accessed_at, f.metadata
    from storage.objects o
    left join storage.objects f on f.id = o.id and cardinality(f.path_tokens) = %(level)s  -- else it is in a folder
    where o.bucket_id = %(bucket)s and starts_with(o.name, %(folder)s)
  ) as entries
  where starts_with(lower(name), lower(%(search)s))
  order by {column} {direction}, name limit %(limit)s offset %(offset)s
) as page
"""
COLUMNS = ("name", "updated_at", "created_at", "last_accessed_at")


async def info(request: Request) -> Response:
    async with acting(request) as conn:
        found = await (await conn.execute(INFO, address(request))).fetchone()
    if found is None:
        raise refused(404, "not_found", "Object not found")
    return JSONResponse(found[0])


async def list_folder(request: Request) -> Response:
    body: dict[str, Any] = {"limit": 100, "offset": 0, "prefix": "", "sortBy": {}} | object_in(
        await request.body()
    )
    folder = str(body["prefix"]).strip("/")
    sort = body["sortBy"] if isinstance(body["sortBy"], dict) else {}
    column, direction = sort.get("column", "name"), sort.get("order", "asc")
    if column not in COLUMNS or direction not in ("asc", "desc"):
        raise refused(400, "invalid_request", "sortBy holds a column or an order that is not known")
    statement = sql.SQL(LIST).format(column=sql.Identifier(column), direction=sql.SQL(direction))
    async with acting(request) as conn:
        arguments = {
            "bucket": request.path_params["bucket"],
            "folder": f"{folder}/" if folder else "",
            "level": folder.count("/") + 2 if folder else 1,
            "search": str(body.get("search") or ""),
            "limit": whole_number(body, "limit"),
            "offset": whole_number(body, "offset"),
        }
        return JSONResponse((await (await conn.execute(statement, arguments)).fetchone() or ([],))[0])


async def remove(request: Request) -> Response:
    names = names_in(object_in(await request.body()), "prefixes")
    async with acting(request) as conn:
        await conn.execute("select set_config('storage.allow_delete_query', 'true', true)")
        deleted = await conn.execute(DELETE, (request.path_params["bucket"], names))
        versions, gone = await deleted.fetchone() or (None, [])
    objects.remove(request.app.state.stack, versions or [])
    return JSONResponse(gone)


routes = [
    Route("/object/authenticated/{bucket}/{name:path}", downloads.download, methods=["GET"]),
    Route("/object/info/{bucket}/{name:path}", info, methods=["GET"]),
    Route("/object/list/{bucket}", list_folder, methods=["POST"]),
    Route("/object/sign/{bucket}/{name:path}", downloads.download_signed, methods=["GET"]),
    Route("/object/sign/{bucket}/{name:path}", downloads.sign, methods=["POST"]),
    Route("/object/sign/{bucket}", downloads.sign_many, methods=["POST"]),
    Route("/object/{bucket}/{name:path}", downloads.download, methods=["GET"]),
    Route("/object/{bucket}/{name:path}", uploads.upload, methods=["POST", "PUT"]),
    Route("/object/{bucket}", remove, methods=["DELETE"]),
]
