"""The behaviour of the misbehaving Replicate for one create and its prediction."""

import base64
import io
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from PIL import Image

Create = Literal[
    "answer",
    "drop before",  # hangs up, having created nothing
    "drop after",  # hangs up, having created the prediction
    "garble",  # creates it and answers with half an answer
    "stall",  # creates it and does not answer until the client has given up
    "refuse",
]
Webhook = Literal["start", "completed", "unsigned", "forged", "oversized"]


@dataclass(frozen=True, slots=True)
class ErrorResponse:
    status: int
    detail: str = "no"
    headers: tuple[tuple[str, str], ...] = ()
    invalid_fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reply:
    """How a file is sent; without an end, if it never comes."""

    body: bytes
    content_type: str | None = "application/octet-stream"
    headers: tuple[tuple[str, str], ...] = ()
    is_endless: bool = False


@dataclass(frozen=True, slots=True)
class Behaviour:
    create: Create = "answer"
    response: ErrorResponse = ErrorResponse(500, "Internal server error")
    seconds: float | None = 0.0  # until it ends; None: until the test ends it
    status: str = "succeeded"  # how it ends
    error: str | None = None
    # a kind, or what it is made of the address of its files
    output: str | Callable[[str], Any] = "one"
    logs: str = ""
    list_lag: float = 0.0  # seconds until the list shows it
    # and how late
    webhooks: tuple[tuple[Webhook, float], ...] = (("start", 0.0), ("completed", 0.0))


Plan = Callable[[str, int], Behaviour]  # of a job id and the how manieth create it is, from 0


def output_of(kind: str | Callable[[str], Any], files: str) -> Any:
    if not isinstance(kind, str):
        return kind(files)
    match kind:
        case "one":
            return f"{files}/0.png"
        case "several":
            return [f"{files}/0.png", f"{files}/1.png"]
        case "named":
            return {"image": f"{files}/0.png", "mask": None}
        case "inline":
            return f"data:image/png;base64,{base64.b64encode(PICTURE).decode()}"
        case "text":
            return "a fox is an animal"
        case "numbers":
            return [0.1, 0.2]
        case "foreign":
            return "https://replicate.delivery.example.com/0.png"
        case "removed":
            return None
    return f"{files}/{kind}"


def painted() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (64, 48), (200, 80, 20)).save(file, "PNG")
    return file.getvalue()


PICTURE = painted()
PAGE = b"<!doctype html><title>Sign in</title>"
ENDLESS = b"\x89PNG\r\n\x1a\n" + os.urandom(65536)
