"""Bare Celery with the work of a picture: fetch it, make its thumbnail, upload both.

It gives no guarantees.
"""

import io
import os
import time
from pathlib import Path

import httpx
from celery import Celery
from PIL import Image
from supabase import create_client

app = Celery("bare", broker=os.environ["REDIS_URL"])
app.conf.update(
    task_default_queue="bare",
    task_ignore_result=True,
    broker_connection_retry_on_startup=True,
    worker_pool="threads",
)
http = httpx.Client()
bucket = create_client(os.environ["SUPABASE_URL"], os.environ["SUPABASE_SECRET_KEY"]).storage.from_(
    "generations"
)


@app.task(name="picture")
def run(url: str, path: str, done: str) -> None:
    content = http.get(url).raise_for_status().content
    image = Image.open(io.BytesIO(content))
    image.draft("RGB", (1024, 1024))
    image.thumbnail((512, 512))
    thumb = io.BytesIO()
    image.save(thumb, "WEBP")
    bucket.upload(path, content, {"content-type": "image/jpeg", "upsert": "true"})
    bucket.upload(f"{path}-thumb.webp", thumb.getvalue(), {"content-type": "image/webp", "upsert": "true"})
    Path(done).write_text(str(time.time()))
