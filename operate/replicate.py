"""One question to Replicate: what is this model, and what does it take?

The `replicate` package is not asked: its model leaves out `is_official`, and it sleeps over a 429.
"""

import json
from typing import Any, NoReturn

import httpx

import settings
from operate import Refused
from operate.web import ask


def model(name: str) -> dict[str, Any]:
    """What `GET /v1/models/{owner}/{name}` says. Raises Refused."""
    config = settings.load()
    try:
        token = config.secret("replicate_api_token")
    except settings.Missing as missing:
        raise Refused(str(missing)) from None
    url = f"{config.replicate_base_url}/v1/models/{name}"
    try:
        status, content = ask("GET", url, {"Authorization": f"Bearer {token}"})
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise Refused(
            f"Replicate does not answer ({type(error).__name__}): check the network and REPLICATE_BASE_URL,"
            " and try again."
        ) from error
    if status != 200:
        refuse(status, name)
    try:
        answer = json.loads(content, parse_constant=no_number)
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict):
        raise Refused(f"What {config.replicate_base_url} answers is no model: check REPLICATE_BASE_URL.")
    return answer


def refuse(status: int, name: str) -> NoReturn:
    match status:
        case 401 | 403:
            raise Refused(
                "Replicate refuses the token: set REPLICATE_API_TOKEN in .env to one of your account."
            )
        case 404:
            raise Refused(
                f"Replicate knows no model {name}, or it is private to another account: copy owner/name from its page."
            )
        case 429:
            raise Refused("Replicate has had too many questions: try again in a minute.")
    raise Refused(
        f"Replicate answers {status}: try again, and see https://www.replicatestatus.com if it lasts."
    )


def no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
