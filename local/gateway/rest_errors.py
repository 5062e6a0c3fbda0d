"""The HTTP statuses of PostgREST for errors of Postgres."""

import json
import re
from typing import Any

import psycopg

from local.gateway.refused import Refused

# The longest prefix of the sqlstate wins. A sqlstate without an entry is the client's fault.
STATUS = {
    "": 400,
    "08": 503, "09": 500, "0L": 403, "0P": 403,
    "23503": 409, "23505": 409, "25": 500, "25006": 405, "28": 403, "2D": 500,
    "38": 500, "39": 500, "3B": 500, "40": 500, "42501": 403, "42883": 404, "42P01": 404, "42P17": 500,
    "53": 503, "53400": 500, "54": 500, "55": 500, "57": 500, "57P01": 503, "58": 500,
    "F0": 500, "HV": 500, "P0": 500, "P0001": 400, "XX": 500,
}  # fmt: skip


def refused(error: psycopg.Error, role: str) -> Refused:
    # psycopg itself refuses values that cannot be sent, such as a text with a NUL.
    state, diag = error.sqlstate or "22021", error.diag
    if state == "PGRST":
        return custom(diag.message_primary or "", diag.message_detail or "")
    status = 401 if state == "42501" and role == "anon" else status_of(state)
    message = diag.message_primary or str(error)
    return Refused(status, state, message, details=diag.message_detail, hint=diag.message_hint)


def status_of(state: str) -> int:
    if state.startswith("PT"):
        return http_status(state[2:])
    return next(STATUS[state[:length]] for length in range(5, -1, -1) if state[:length] in STATUS)


def http_status(number: str | int) -> int:
    return int(number) if re.fullmatch("[45][0-9]{2}", str(number)) else 500


def custom(message: str, detail: str) -> Refused:
    """Return the answer that `raise sqlstate 'PGRST'` specifies itself, headers included."""
    try:
        answer, answered = json.loads(message), json.loads(detail)
        headers: dict[str, Any] = answered["headers"]
        if not all(
            re.fullmatch("[A-Za-z0-9-]+: [ -~]*", f"{name}: {value}") for name, value in headers.items()
        ):
            raise ValueError
        return Refused(
            http_status(answered["status"]),
            answer["code"],
            answer["message"],
            details=answer.get("details"),
            hint=answer.get("hint"),
            headers={name: str(value) for name, value in headers.items()},
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        why = "Could not parse JSON in the \"RAISE SQLSTATE 'PGRST'\" error"
        return Refused(500, "PGRST121", why, details=detail or message)
