"""The recipe for Stripe in docs/purchases.md, run exactly as it is printed there."""

import re
import uuid
from collections.abc import Callable
from itertools import permutations
from typing import Any

import psycopg
import pytest
from supabase import Client

from local.stack import ROOT, Stack

PAGE = (ROOT / "docs" / "purchases.md").read_text()
RECIPE = re.compile(r"<!-- tested: .* -->\n```python\n(.*?)```", re.DOTALL)
BALANCE = "select credits, owed from public.entitlements where user_id = %s"


def recipe() -> Callable[[Any, dict[str, Any]], None]:
    found = RECIPE.search(PAGE)
    assert found
    names: dict[str, Any] = {}
    exec(found[1], names)  # noqa: S102  # the code is our own
    handler: Callable[[Any, dict[str, Any]], None] = names["on_stripe_event"]
    return handler


@pytest.mark.parametrize("order", list(permutations(range(2))))
def test_a_payment_and_its_refund_count_once_in_any_order(
    gateway: Stack, admin: Client, order: tuple[int, ...]
) -> None:
    on_stripe_event, user_id, intent = recipe(), uuid.uuid4(), f"pi_{uuid.uuid4()}"
    metadata = {"user_id": str(user_id), "credits": "100"}
    succeeded = {"type": "payment_intent.succeeded", "data": {"object": {"id": intent, "metadata": metadata}}}
    charge = {"id": "ch_1", "payment_intent": intent, "metadata": metadata, "refunded": True}
    told = [succeeded, {"type": "charge.refunded", "data": {"object": charge}}]
    with psycopg.connect(gateway.database_url, autocommit=True) as conn:
        conn.execute("insert into auth.users (id) values (%s)", (user_id,))
        on_stripe_event(admin, {"type": "charge.refunded", "data": {"object": charge | {"metadata": {}}}})
        on_stripe_event(admin, {"type": "charge.refunded", "data": {"object": charge | {"refunded": False}}})
        assert conn.execute(BALANCE, (user_id,)).fetchone() == (10, 0)
        for place in [*order, *order]:
            on_stripe_event(admin, told[place])
        assert conn.execute(BALANCE, (user_id,)).fetchone() == (10, 0)
        on_stripe_event(admin, {**succeeded, "data": {"object": {"id": f"{intent}-2", "metadata": metadata}}})
        assert conn.execute(BALANCE, (user_id,)).fetchone() == (110, 0)
