"""Celery alone, doing no more than collecting a prediction: what our way from webhook to row is
measured against.

With the same clients of HTTP and of Storage; the replicate package cannot read a prediction without
a version.
"""

import os
from functools import cache

import httpx
from celery import Celery
from supabase import Client, create_client

app = Celery("bare", broker=os.environ["REDIS_URL"], backend=os.environ["REDIS_URL"])
app.conf.task_default_queue = "bare"


@cache
def http() -> httpx.Client:
    return httpx.Client(headers={"Authorization": f"Bearer {os.environ['REPLICATE_API_TOKEN']}"})


@cache
def supabase() -> Client:
    return create_client(os.environ["SUPABASE_URL"], os.environ["SUPABASE_SECRET_KEY"])


@app.task
def nothing() -> None:
    pass


@app.task
def collect(prediction_id: str) -> None:
    prediction = http().get(f"{os.environ['REPLICATE_BASE_URL']}/v1/predictions/{prediction_id}").json()
    picture = http().get(prediction["output"]).content
    bucket = supabase().storage.from_("generations")
    bucket.upload(f"bare/{prediction_id}.png", picture, {"content-type": "image/png", "upsert": "true"})
