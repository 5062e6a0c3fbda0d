"""The gate in front of a real backend: the gateway as a process, and a migrated database."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import jwt

from local.stack import Stack
from tests.edge import functions
from tests.edge.functions import Gate
from tests.edge.tokens import Issuer
from tests.support import servers


@dataclass(frozen=True, slots=True)
class Backend:
    gate: Gate
    stack: Stack
    issuer: Issuer
    webhook_secret: bytes

    def headers(self, user_id: object) -> dict[str, str]:
        token = self.issuer.token(sub=str(user_id))
        return {"Authorization": f"Bearer {token}", "apikey": self.stack.publishable_key}


@contextmanager
def running(stack: Stack, webhook_secret: bytes) -> Iterator[Backend]:
    with servers.gateway(stack, stack.folder) as served:
        key = jwt.PyJWK(served.signing_key, algorithm="ES256").key
        issuer = Issuer(served.gateway_url, key, served.signing_key["kid"])
        keys = {"publishable": served.publishable_key, "secret": served.secret_key}
        environment = functions.function_environment(served.gateway_url, issuer, keys, webhook_secret)
        with functions.serve(environment) as gate:
            yield Backend(gate, served, issuer, webhook_secret)
