"""The identity that the gateway gives a request, and the tokens that it refuses."""

import base64
import hmac
import json
import time
import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

import jwt
import pytest

from local import stack as stacks
from local.gateway import keys
from local.gateway.keys import Identity, InvalidToken

STACK = stacks.create(Path("unused"))
PUBLIC = json.dumps(keys.jwks(STACK)["keys"][0]).encode()
OTHER = replace(STACK, signing_key=stacks.new_signing_key())


def claims(**changes: Any) -> dict[str, Any]:
    base = {
        "sub": str(uuid.uuid4()),
        "role": "authenticated",
        "aud": "authenticated",
        "iss": keys.issuer(STACK),
    }
    return base | changes


def test_a_key_alone_is_a_program() -> None:
    assert keys.identify(STACK, STACK.publishable_key, None) == Identity("anon", {"role": "anon"})
    assert keys.identify(STACK, STACK.secret_key, None).role == "service_role"


def test_a_key_may_be_repeated_as_bearer() -> None:
    assert keys.identify(STACK, STACK.publishable_key, STACK.publishable_key).role == "anon"
    assert keys.identify(STACK, STACK.secret_key, STACK.secret_key).role == "service_role"


def test_a_user_wins_over_the_key_beside_it() -> None:
    token = keys.sign(STACK, claims(), seconds=60)
    for key in (STACK.publishable_key, STACK.secret_key):
        assert keys.identify(STACK, key, token).role == "authenticated"


@pytest.mark.parametrize(
    "apikey",
    [
        None,
        "",
        "sb_publishable_other",
        pytest.param(STACK.secret_key + "x", id="longer"),
        "é",
    ],
)
def test_an_unknown_key_is_refused_even_beside_a_good_token(apikey: str | None) -> None:
    with pytest.raises(InvalidToken):
        keys.identify(STACK, apikey, keys.sign(STACK, claims(), seconds=60))


def test_another_key_as_bearer_lends_no_role() -> None:
    with pytest.raises(InvalidToken):
        keys.identify(STACK, STACK.publishable_key, STACK.secret_key)


def by_hand(algorithm: str, secret: bytes | None = None) -> str:
    """A token that no library makes."""
    header = {"alg": algorithm, "typ": "JWT", "kid": STACK.signing_key["kid"]}
    parts = [json.dumps(part).encode() for part in (header, claims(exp=int(time.time()) + 60))]
    text = b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in parts)
    signature = b"" if secret is None else hmac.digest(secret, text, "sha256")
    return (text + b"." + base64.urlsafe_b64encode(signature).rstrip(b"=")).decode()


@pytest.mark.parametrize(
    "token",
    [
        pytest.param(keys.sign(STACK, claims(), seconds=-1), id="expired"),
        pytest.param(keys.sign(OTHER, claims(), seconds=60), id="signed by another stack"),
        pytest.param(by_hand("none"), id="alg none"),
        pytest.param(by_hand("ES256"), id="no signature"),
        pytest.param(by_hand("HS256", PUBLIC), id="signed with what everybody knows"),
        pytest.param(keys.sign(STACK, claims(aud="other"), seconds=60), id="other audience"),
        pytest.param(keys.sign(STACK, claims(iss="http://elsewhere/auth/v1"), seconds=60), id="other issuer"),
        pytest.param(keys.sign(STACK, claims(role="postgres"), seconds=60), id="a role that is no API role"),
        pytest.param(keys.sign(STACK, claims(role=["anon"]), seconds=60), id="a role that is no text"),
        pytest.param(keys.sign(STACK, claims(sub=None), seconds=60), id="nobody's"),
        pytest.param(keys.sign(STACK, {"url": "generations/a"}, seconds=60), id="made for one download"),
        pytest.param(keys.sign(STACK, claims(), seconds=60) + "x", id="changed"),
        pytest.param("a.b.c", id="no token"),
    ],
)
def test_a_bad_token_never_falls_back_to_its_key(token: str) -> None:
    for key in (STACK.publishable_key, STACK.secret_key):
        with pytest.raises(InvalidToken):
            keys.identify(STACK, key, token)


def test_the_key_set_says_nothing_private() -> None:
    (key,) = keys.jwks(STACK)["keys"]
    assert "d" not in key
    token = keys.sign(STACK, claims(), seconds=60)
    assert jwt.get_unverified_header(token)["kid"] == key["kid"]
    assert jwt.decode(token, jwt.PyJWK(key), ["ES256"], audience="authenticated")
