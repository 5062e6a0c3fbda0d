"""docs/openapi.yaml is true: valid and invalid requests made from it get its documented answers."""

from collections import Counter
from typing import Any

import requests
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import Case

from tests.edge import test_purchase_webhook
from tests.edge.functions import NAMES
from tests.edge.test_webhook import signed, token
from tests.edge.user import TappingUser
from tests.support.processes import ROOT

CONFIG = schemathesis.Config.from_dict(
    {
        # JSON Schema cannot exclude NUL from an input, so a description in the reference does.
        # attacks.py tests such rules.
        # The test adds the token: a request that is invalid only for lack of one would be valid.
        "generation": {"allow-x00": False, "codec": "utf-8", "with-security-parameters": False},
        "checks": {"positive_data_acceptance": {"expected-statuses": ["2xx", "409"]}},
    }
)
REFERENCE = schemathesis.openapi.from_path(ROOT / "docs" / "openapi.yaml", config=CONFIG)
BOUNDED = settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@REFERENCE.parametrize()
@BOUNDED
def test_functions_answer_as_the_reference_says(
    case: Case[Any], user: TappingUser, tally: Counter[tuple[str, str]]
) -> None:
    assert case.meta is not None
    is_good = case.meta.generation.mode.is_positive
    name = case.path.strip("/")
    origin, headers = user.backend.gate.origins[name], user.headers
    if is_good and case.operation.label == "POST /enqueue_generation":
        assert isinstance(case.body, dict)
        case.body["model"] = "preview"
        # The reference does not describe the input of a model.
        case.body["input"] = {"prompt": "a fox"}
    elif is_good and case.operation.label == "POST /provider_webhook":
        sent = requests.Request(**case.as_transport_kwargs(base_url=origin)).prepare().body
        assert isinstance(sent, bytes)
        headers = signed(user.backend.webhook_secret, sent)
        case.query["token"] = token(user.backend.stack.secret_key, case.query["job"].lower())
    elif is_good and case.operation.label == "POST /purchase_webhook":
        sent = requests.Request(**case.as_transport_kwargs(base_url=origin)).prepare().body
        assert isinstance(sent, bytes)
        headers = test_purchase_webhook.signed(user.backend.webhook_secret, sent)

    answer = case.call(base_url=origin, headers=headers)
    if answer.status_code == 202 and name == "enqueue_generation":
        user.accepted.add(answer.json()["job"]["id"])
    case.validate_response(answer)
    tally[name, f"{'good' if is_good else 'bad'} request made from the reference"] += 1


def test_the_reference_knows_every_function() -> None:
    assert {path.strip("/") for path in REFERENCE} == set(NAMES)
