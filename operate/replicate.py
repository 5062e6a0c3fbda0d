"""Questions to Replicate: does it have this, and what does a model take?

The `replicate` package is not asked: its model leaves out `is_official`, and it sleeps over a 429.
"""

from typing import Any, NoReturn

import settings
from operate import Refused
from operate.web import NO_ANSWER, ask, parsed


def get(path: str) -> tuple[int, bytes]:
    """Status and body. Raises settings.Missing without a token, and one of NO_ANSWER."""
    config = settings.load()
    token = config.secret("replicate_api_token")
    return ask("GET", f"{config.replicate_base_url}/v1/{path}", {"Authorization": f"Bearer {token}"})


def model(name: str) -> dict[str, Any]:
    """The answer of `GET /v1/models/{owner}/{name}`. Raises Refused."""
    try:
        status, content = get(f"models/{name}")
    except settings.Missing as missing:
        raise Refused(str(missing)) from None
    except NO_ANSWER as error:
        raise Refused(
            f"Replicate does not answer ({type(error).__name__}): check the network and REPLICATE_BASE_URL,"
            " and try again."
        ) from error
    if status != 200:
        refuse(status, name)
    answer = parsed(content)
    if not isinstance(answer, dict):
        address = settings.load().replicate_base_url
        raise Refused(f"What {address} answers is no model: check REPLICATE_BASE_URL.")
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
