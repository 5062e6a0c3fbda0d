"""Uploads. The file is the body of the request or a part of a form.

The bucket limits the size and the types of its files.
"""

import hashlib
import re
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, cast

from psycopg.types.json import Jsonb
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from local.gateway import objects
from local.gateway.database import transaction
from local.gateway.refused import Refused, not_spoken, refuse_unknown
from local.gateway.storage_access import acting, address

IN_MEMORY = 1 << 20  # bytes of one upload; a larger one is on disk
FORM_FIELDS = ("cacheControl",)
HEADERS_NOT_SPOKEN = ("content-encoding", "x-metadata", "x-robots-tag")  # options of an upload
KEY = re.compile(r"[A-Za-z0-9_/!.*'() &$=@;:+,?-]{1,1024}")

TARGET = """
select b.file_size_limit, b.allowed_mime_types, o.id, o.version
from storage.buckets b left join storage.objects o on o.bucket_id = b.id and o.name = %s
where b.id = %s
"""
INSERT = """
insert into storage.objects (id, bucket_id, name, owner, owner_id, version, metadata)
values (%(id)s, %(bucket)s, %(name)s, auth.uid(), auth.uid()::text, %(version)s, %(metadata)s)
"""
REPLACE = """
on conflict (bucket_id, name) do update
set owner = excluded.owner, owner_id = excluded.owner_id, version = excluded.version,
  metadata = excluded.metadata,
    updated_at = now(), last_accessed_at = now()
"""


@dataclass(frozen=True, slots=True)
class Upload:
    """An uploaded file. A large one is on disk."""

    file: BinaryIO
    size: int
    mime: str
    cache_control: str

    def metadata(self) -> dict[str, Any]:
        self.file.seek(0)
        digest = hashlib.md5(usedforsecurity=False)
        while block := self.file.read(IN_MEMORY):
            digest.update(block)
        return {
            "eTag": f'"{digest.hexdigest()}"',
            "size": self.size,
            "mimetype": self.mime,
            "cacheControl": self.cache_control,
            "lastModified": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "contentLength": self.size,
            "httpStatusCode": 200,
        }


async def upload(request: Request) -> Response:
    bucket, name = address(request)
    for header in HEADERS_NOT_SPOKEN:
        if header in request.headers:
            raise not_spoken(f"the header {header}")
    if not KEY.fullmatch(name):
        raise Refused(400, "InvalidKey", f"Invalid key: {name}")
    async with reading(request) as content:
        async with transaction(request.app.state.storage_pool) as conn:
            target = await (await conn.execute(TARGET, (name, bucket))).fetchone()
        if target is None:
            raise Refused(404, "Bucket not found", "Bucket not found")
        limit, mimes, known_id, replaced = target
        check(content, limit, mimes)
        object_id, version = known_id or uuid.uuid4(), str(uuid.uuid4())
        row = {
            "id": object_id,
            "bucket": bucket,
            "name": name,
            "version": version,
            "metadata": Jsonb(await run_in_threadpool(content.metadata)),
        }
        is_replacing = request.headers.get("x-upsert") == "true"
        async with acting(request) as conn:
            await conn.execute(INSERT + REPLACE if is_replacing else INSERT, row)
            await run_in_threadpool(objects.write, request.app.state.stack, version, content.file)
    objects.remove(request.app.state.stack, [replaced])
    return JSONResponse({"Id": str(object_id), "Key": f"{bucket}/{name}"})


@asynccontextmanager
async def reading(request: Request) -> AsyncIterator[Upload]:
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        with SpooledTemporaryFile(max_size=IN_MEMORY) as body:
            async for chunk in request.stream():
                body.write(chunk)
            yield Upload(
                file=cast(BinaryIO, body),
                size=body.tell(),
                mime=request.headers.get("content-type", "application/octet-stream"),
                cache_control=request.headers.get("cache-control", "no-cache"),
            )
        return
    async with request.form(max_files=1, max_fields=10) as form:
        fields = [field for field, part in form.multi_items() if not isinstance(part, UploadFile)]
        refuse_unknown("form field", fields, FORM_FIELDS)
        part = next((part for part in form.values() if isinstance(part, UploadFile)), None)
        if part is None:
            raise Refused(400, "invalid_request", "The form holds no file")
        seconds = form.get("cacheControl")
        yield Upload(
            file=part.file,
            size=part.size or 0,
            mime=part.content_type or "application/octet-stream",
            cache_control=f"max-age={seconds}" if seconds else "no-cache",
        )


def check(upload: Upload, limit: int | None, mimes: list[str] | None) -> None:
    if limit is not None and upload.size > limit:
        raise Refused(413, "Payload too large", "The object exceeded the maximum allowed size")
    if not re.fullmatch(r"[ -~]*", upload.mime + upload.cache_control):
        raise Refused(400, "invalid_request", "A header value holds what no header can")
    mime = upload.mime.partition(";")[0].strip()
    if mimes and not any(fnmatchcase(mime, allowed) for allowed in mimes):
        raise Refused(415, "invalid_mime_type", f"mime type {upload.mime} is not supported")
