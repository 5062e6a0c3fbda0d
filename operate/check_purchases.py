"""RevenueCat's webhook: whether it is reached, and would be believed."""

import hmac
import re
import time

import settings
from operate import Refused
from operate.check_supabase import code_of
from operate.connection import as_owner
from operate.findings import Finding, Findings, note, ok, wrong
from operate.web import NO_ANSWER, ask

SUBJECT = "webhook of RevenueCat"
AUTHORIZATION, SECRET = "REVENUECAT_WEBHOOK_AUTHORIZATION", "REVENUECAT_WEBHOOK_SECRET"
SET_THEM = f'npx supabase@3 secrets set {AUTHORIZATION}="Bearer $(openssl rand -hex 32)"'
BODY = b"{}"  # without an event nothing is recorded, and only the sender is checked
SHORTEST_SECRET = 16  # characters; what is shorter can be guessed
API_KEY = re.compile(r"(Bearer )?(sk|appl|goog|amzn|strp|rcb|atk)_")


def webhook() -> Findings:
    url = settings.load().supabase_url
    known = {name: settings.variable(name) for name in (AUTHORIZATION, SECRET)}
    for name, value in known.items():
        if value and (says := slip(value)):
            yield wrong(name, says)
    if url is None:
        return
    try:
        answer = ask("POST", f"{url}/functions/v1/purchase_webhook", headers(known), BODY)
    except (*NO_ANSWER, ValueError):  # a character that no header has
        yield note(SUBJECT, "its function could not be asked")
        return
    yield of_answer(answer[0], code_of(answer[1]), [name for name, value in known.items() if value])


def slip(value: str) -> str | None:
    if re.search(r"^[\"']|\.\.\.$|…$", value):
        return "it has a quote, or is a placeholder: set it to the value alone"
    if API_KEY.match(value):
        return "it is an API key of RevenueCat: make a value of your own (docs/purchases.md)"
    return (
        "it is short enough to be guessed: openssl rand -hex 32 makes one"
        if len(value) < SHORTEST_SECRET
        else None
    )


def headers(known: dict[str, str | None]) -> dict[str, str]:
    """Of RevenueCat, as far as its secrets are known here; the newer one where there are two."""
    given = {"content-type": "application/json"}
    if value := known[AUTHORIZATION]:
        given["authorization"] = value.split(",")[0].strip()
    if secret := known[SECRET]:
        timestamp = int(time.time())
        digest = hmac.digest(
            re.split(r"[\s,]+", secret)[0].encode(), f"{timestamp}.".encode() + BODY, "sha256"
        )
        given["x-revenuecat-webhook-signature"] = f"t={timestamp},v1={digest.hex()}"
    return given


def of_answer(status: int, code: str | None, known: list[str]) -> Finding:
    match status, code:
        case 400, "invalid_request":
            return ok(SUBJECT, "it is believed")
        case 401, "unauthenticated" if known:
            return wrong(
                SUBJECT, f"the function refuses {' and '.join(known)} of .env: its secrets are others"
            )
        case 401, "unauthenticated":
            return ok(SUBJECT, "the function has a secret, and refuses what comes without it")
        case 503, "unavailable":
            say = wrong if known or has_products() else note
            return say(SUBJECT, f"the function has no secret, so no purchase counts: {SET_THEM}")
    return note(SUBJECT, f"its function answers {status}")


def has_products() -> bool:
    """Whether anything is sold; False where that cannot be read."""
    try:
        with as_owner() as conn:
            return bool(conn.execute("select from private.products limit 1").fetchall())
    except (Refused, SystemExit):
        return False
