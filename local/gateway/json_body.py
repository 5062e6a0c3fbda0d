"""Bytes that should be JSON: whatever they are, they end as a value or as NotJson."""

import json
from typing import Any


class NotJson(Exception):
    pass


def load(body: bytes) -> Any:
    try:
        return json.loads(body.decode())
    except (ValueError, RecursionError):
        raise NotJson from None
