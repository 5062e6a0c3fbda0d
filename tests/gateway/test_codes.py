"""One-time codes by e-mail, through the real supabase-js, and two users who want one address."""

import re
import threading
import tomllib
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from local.stack import ROOT, Stack
from tests.gateway.conftest import ClientUser
from tests.gateway.test_supabase_js import run
from tests.support.waiting import wait_until

CodeFor = Callable[[str], str]

EXPECTED: dict[str, Any] = {
    "before": 4,
    "pending": [True, "", True, True],
    "wrong": "otp_expired",
    "otherAddress": "otp_expired",
    "otherType": "otp_expired",
    "verified": [True, "EMAIL", False, True],
    "claim": False,
    "repeated": "otp_expired",
    "kept": [4, True],
    "stranger": "otp_disabled",
    "sent": None,
    "replaced": "otp_expired",
    "entered": [True, 4, False],
    "used": "otp_expired",
    "firstPhoneStays": True,
    "exists": "email_exists",
    "invalid": "validation_failed",
    "signedOut": [None, None],
    "deleted": None,
    "deletedAgain": None,
    "oldToken": [401, 0, "refresh_token_not_found", "otp_disabled"],
}


@pytest.fixture(scope="module")
def code_for(gateway: Stack) -> CodeFor:
    """A function that waits for the code last printed for an address, in place of a mail."""

    def find(email: str) -> str:
        printed = (Path(gateway.folder) / "gateway.log").read_text(errors="replace")
        found = re.findall(rf"A mail to {re.escape(email)}: your code is (\d{{6}})\n", printed)
        return str(found[-1]) if found else ""

    return lambda email: wait_until(lambda: find(email), f"a code for {email}")


@pytest.fixture(scope="module")
def mailbox(code_for: CodeFor) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(code_for(self.path[1:]).encode())

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module")
def said(gateway: Stack, mailbox: str) -> dict[str, Any]:
    found = run(gateway, "supabase_js_codes.ts", mailbox)
    found["verified"][1] = "EMAIL" if found["verified"][1].endswith("@example.com") else found["verified"][1]
    return found


@pytest.mark.parametrize("what", EXPECTED)
def test_an_account_outlives_its_phone(said: dict[str, Any], what: str) -> None:
    assert said[what] == EXPECTED[what]


def test_every_answer_is_expected(said: dict[str, Any]) -> None:
    assert said.keys() == EXPECTED.keys()


def ask(wire: httpx.Client, user: ClientUser, email: str) -> httpx.Response:
    return wire.put("/auth/v1/user", headers=user.headers, json={"email": email})


def verify(wire: httpx.Client, user: ClientUser, email: str, code: str) -> httpx.Response:
    body = {"email": email, "token": code, "type": "email_change"}
    return wire.post("/auth/v1/verify", headers={"apikey": user.headers["apikey"]}, json=body)


def test_a_pending_address_reserves_nothing_and_the_second_is_told(
    wire: httpx.Client, user: ClientUser, stranger: ClientUser, code_for: CodeFor
) -> None:
    email = f"{user.id}@example.com"
    codes = []
    for who in (user, stranger):
        assert ask(wire, who, email).status_code == 200
        codes.append(code_for(email))
    assert verify(wire, user, email, codes[0]).json()["user"]["id"] == user.id
    late = verify(wire, stranger, email, codes[1])
    assert (late.status_code, late.json()["error_code"]) == (500, "unexpected_failure")
    assert ask(wire, stranger, email).json()["error_code"] == "email_exists"


def test_an_old_code_is_refused(
    gateway: Stack, wire: httpx.Client, user: ClientUser, code_for: CodeFor
) -> None:
    email = f"{user.id}@example.com"
    ask(wire, user, email)
    with psycopg.connect(gateway.database_url.replace("//postgres:", "//supabase_auth_admin:")) as conn:
        conn.execute("update auth.one_time_tokens set created_at = now() - interval '61 minutes'")
    refused = verify(wire, user, email, code_for(email))
    assert (refused.status_code, refused.json()["error_code"]) == (403, "otp_expired")


@pytest.mark.parametrize(
    "email", ["", "a", "a@", "@b", "a b@c", "a@b\nA mail to x", "a@b@c", 1, None, "a" * 300]
)
def test_a_malformed_address_is_refused(wire: httpx.Client, user: ClientUser, email: object) -> None:
    answer = wire.put("/auth/v1/user", headers=user.headers, json={"email": email})
    assert (answer.status_code, answer.json()["error_code"]) == (400, "validation_failed")


def test_an_account_with_an_address_keeps_it(wire: httpx.Client, user: ClientUser, code_for: CodeFor) -> None:
    email = f"{user.id}@example.com"
    ask(wire, user, email)
    verify(wire, user, email, code_for(email))
    answer = ask(wire, user, f"other-{email}")
    assert (answer.status_code, answer.json()["error_code"]) == (400, "not_implemented")


def test_a_hosted_project_confirms_addresses_and_mails_codes_and_no_links() -> None:
    email = tomllib.loads((ROOT / "supabase" / "config.toml").read_text())["auth"]["email"]
    assert email["enable_confirmations"] and email["otp_length"] == 6 and email["otp_expiry"] == 3600
    assert set(email["template"]) == {"magic_link", "confirmation", "email_change"}
    for template in email["template"].values():
        text = (ROOT / template["content_path"]).read_text()
        assert "{{ .Token }}" in text and not re.search("ConfirmationURL|TokenHash|href|https?:", text)
