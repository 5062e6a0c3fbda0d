"""Credentials that only look like the access token of a user."""

import hashlib
import hmac
import json
import random
import time
import uuid
from collections.abc import Iterator
from typing import Any

from cryptography.hazmat.primitives import serialization

from tests.edge.tokens import Issuer, encode

NOT_OUR_KEYS: list[Any] = [
    None,
    "",
    "x",
    0,
    [],
    {},
    "__proto__",
    "constructor",
    "../../../dev/null",
    "' or 1",
]
NOT_OUR_AUDIENCE: list[Any] = [
    ...,
    None,
    "",
    "anon",
    "authenticated ",
    "AUTHENTICATED",
    [],
    ["anon"],
    [[]],
    {"a": 1},
]
NOT_A_USER: list[Any] = [
    ...,
    None,
    "",
    "1",
    "' or '1'='1",
    [],
    "00000000-0000-0000-0000-00000000000\n",
    "0" * 36,
    7,
]
NOT_ALGORITHMS: list[Any] = [
    "none", "None", "NONE", "nOnE", "", None, "ES384", "RS256", "PS256", "EdDSA", "es256", ["ES256"], 0,
]  # fmt: skip


def forgeries(issuer: Issuer, api_keys: list[str]) -> Iterator[tuple[str, str | None]]:
    """Kind and Authorization header of callers who must be refused."""
    yield from no_tokens(issuer)
    for key in api_keys:
        yield "an API key as bearer", f"Bearer {key}"
    for kind, tokens in (
        ("expired token", expired(issuer)),
        ("token for something else", misdirected(issuer)),
        ("alg none or HS256", other_algorithms(issuer)),
        ("forged signature", forged(issuer)),
        ("mutated token", mutated(issuer)),
    ):
        for token in tokens:
            yield kind, f"Bearer {token}"


def no_tokens(issuer: Issuer) -> Iterator[tuple[str, str | None]]:
    token = issuer.token()
    yield "no token", None
    for header in ("", "Bearer", "Basic dTpw", "Bearer null", "Bearer undefined", "Bearer .", "Bearer .."):
        yield "no token", header
    for header in (
        token,
        f"Token {token}",
        f"Bearer: {token}",
        f"Bearer {token} {token}",
        f'Bearer "{token}"',
    ):
        yield "no token", header
    yield "no token", f"Bearer {token}, Bearer {token}"
    not_claims: list[Any] = [[], "text", 7, None, True, {}, [issuer.claims()]]
    for claims in not_claims:
        yield "no token", f"Bearer {issuer.sign(claims)}"


def expired(issuer: Issuer) -> Iterator[str]:
    now = int(time.time())
    for exp in (now - 1, now - 3600, 0, -1, ..., None, True, str(now + 3600), [now + 3600], {"$gt": 0}):
        yield issuer.token(exp=exp)
    for nbf in (now + 3600, str(now), None):
        yield issuer.token(nbf=nbf)


def misdirected(issuer: Issuer) -> Iterator[str]:
    for aud in NOT_OUR_AUDIENCE:
        yield issuer.token(aud=aud)
    for iss in (
        ...,
        None,
        "",
        issuer.iss + "/",
        issuer.iss.upper(),
        "https://other.example/auth/v1",
        [issuer.iss],
    ):
        yield issuer.token(iss=iss)
    for role in (
        ...,
        None,
        "",
        "anon",
        "service_role",
        "postgres",
        "supabase_admin",
        ["authenticated"],
        True,
    ):
        yield issuer.token(role=role)
    for sub in NOT_A_USER:
        yield issuer.token(sub=sub)


def other_algorithms(issuer: Issuer) -> Iterator[str]:
    claims = encode(issuer.claims())
    signature = issuer.token().rpartition(".")[2]
    for alg in NOT_ALGORITHMS:
        header = encode({"alg": alg, "kid": issuer.kid, "typ": "JWT"})
        yield f"{header}.{claims}."
        yield f"{header}.{claims}.{signature}"
        yield f"{header}.{claims}"
        yield issuer.sign(issuer.claims(), alg=alg)
    # The public key as the secret of an HMAC: an attack on a verifier that trusts the header's alg.
    public = issuer.key.public_key()
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    for secret in (
        pem,
        pem.strip(),
        json.dumps(issuer.jwk()).encode(),
        issuer.jwk()["x"].encode(),
        b"",
        b"secret",
    ):
        signed = f"{encode({'alg': 'HS256', 'kid': issuer.kid, 'typ': 'JWT'})}.{claims}"
        yield f"{signed}.{encode(hmac.digest(secret, signed.encode(), hashlib.sha256))}"


def forged(issuer: Issuer) -> Iterator[str]:
    stranger = Issuer("", kid=issuer.kid)
    claims = issuer.claims()
    yield stranger.sign(claims)
    for header in ("jwk", "x5c"):
        yield stranger.sign(claims, **{header: stranger.jwk()})
    for header in ("jku", "x5u"):
        yield stranger.sign(claims, **{header: "http://127.0.0.1:9/jwks.json"})
    for kid in NOT_OUR_KEYS:
        yield issuer.sign(claims, kid=kid)
        yield stranger.sign(claims, kid=kid)
    yield issuer.sign(claims, crit=["exp"])
    head, body, signature = issuer.sign(claims).split(".")
    for other in (
        "",
        "AA",
        "A" * 86,
        signature[:-2],
        signature + "AA",
        encode(b"\0" * 64),
        encode(b"0" * 72),
        signature * 2,
    ):
        yield f"{head}.{body}.{other}"
    yield f"{head}.{body}.{signature}."
    yield f"{head}.{body}.{signature}.{signature}"
    yield f".{head}.{body}.{signature}"
    yield f"{body}.{head}.{signature}"
    yield f"{head}.{encode({**claims, 'sub': str(uuid.uuid4())})}.{signature}"
    yield f"{head}.{encode(b'x' * 6000)}.{signature}"


def mutated(issuer: Issuer) -> Iterator[str]:
    """Valid tokens with one character changed, at every place but the last.

    Four of the six bits of the last character mean nothing.
    """
    token = issuer.token()
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."
    choose = random.Random(1)
    for place in range(len(token) - 1):
        other = choose.choice(alphabet.replace(token[place], ""))
        yield token[:place] + other + token[place + 1 :]
