"""Access tokens as the Auth service signs them."""

import base64
import json
import time
import uuid
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from jwt.algorithms import ECAlgorithm


class Issuer:
    """An Auth service with one ES256 key."""

    def __init__(
        self, url: str, key: ec.EllipticCurvePrivateKey | None = None, kid: str | None = None
    ) -> None:
        self.iss = f"{url}/auth/v1"
        self.key = key or ec.generate_private_key(ec.SECP256R1())
        self.kid = kid or str(uuid.uuid4())

    def jwk(self) -> dict[str, Any]:
        jwk = ECAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        return {**jwk, "kid": self.kid, "alg": "ES256", "use": "sig"}

    def jwks(self) -> str:
        return json.dumps({"keys": [self.jwk()]})

    def claims(self, **changes: Any) -> dict[str, Any]:
        """Claims of a user with these changes; `...` removes a claim."""
        now = int(time.time())
        claims = {
            "iss": self.iss,
            "sub": str(uuid.uuid4()),
            "aud": "authenticated",
            "role": "authenticated",
            "iat": now,
            "exp": now + 3600,
            "is_anonymous": True,
            **changes,
        }
        return {name: value for name, value in claims.items() if value is not ...}

    def sign(self, payload: Any, **header: Any) -> str:
        """A token with a valid ES256 signature; the header may name another algorithm."""
        signed = f"{encode({'alg': 'ES256', 'kid': self.kid, 'typ': 'JWT', **header})}.{encode(payload)}"
        r, s = decode_dss_signature(self.key.sign(signed.encode(), ec.ECDSA(SHA256())))
        return f"{signed}.{encode(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"

    def token(self, **changes: Any) -> str:
        return self.sign(self.claims(**changes))


def encode(part: Any) -> str:
    raw = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
