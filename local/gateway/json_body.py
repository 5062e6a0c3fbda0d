"""Bodies of requests as JSON objects. Other bodies are refused."""

import json
from typing import Any

from local.gateway.refused import Refused


def object_in(body: bytes, code: str = "bad_json") -> dict[str, Any]:
    """Return the JSON object in a body. No body counts as an empty object.

    Args:
        code: the service's error code for a body that it cannot read.
    """
    try:
        found = json.loads(body.decode() or "{}")
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise Refused(400, code, "The body must be a JSON object in UTF-8.")
    return found
