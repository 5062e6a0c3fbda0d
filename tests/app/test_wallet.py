"""The wallet: a purchase goes to the real webhook, and the balance is right before any read."""

import uuid

import httpx
from playwright.sync_api import Page, expect

from tests.app.phone import Phone, Stall
from tests.app.system import System
from tests.support.store import refund

BOUGHT = """
select event from private.purchase_events where customer @> array[%s] and product_id = 'preview_100'
"""
GIFTS = """
select count(public.grant_credits(%s, 1, 'Gift ' || number, gen_random_uuid()::text)) from generate_series(1, 70) number
"""


def buy(page: Page, product: str) -> None:
    page.get_by_role("button", name=f"Buy {product}", exact=False).click()


def tell(system: System, event: object) -> str:
    """As the store does; the local stack takes its publishable key for the store's secret."""
    headers = {"Authorization": f"Bearer {system.publishable_key}"}
    url = f"{system.url}/functions/v1/purchase_webhook"
    answer = httpx.post(url, json={"event": event}, headers=headers, timeout=30)
    assert answer.status_code == 200
    return str(answer.json()["effect"])


def test_bought_credits_are_there_at_once_and_every_entry_is_listed(phone: Phone, system: System) -> None:
    screen = phone.start().open("/credits")
    page, balance = screen.page, screen.page.get_by_test_id("balance")
    membership = page.get_by_test_id("membership")
    expect(balance).to_have_text("5 credits")
    expect(page.get_by_text("Welcome credits")).to_be_visible()
    expect(page.get_by_text("A membership includes: Preview")).to_be_visible()
    expect(page.get_by_role("link", name="Terms")).to_be_visible()
    expect(page.get_by_role("link", name="Privacy")).to_be_visible()
    screen.expect_joined()

    reads = Stall()
    phone.context.route("**/rest/v1/entitlements**", reads)
    buy(page, "100 credits")
    expect(balance).to_have_text("105 credits")
    buy(page, "Membership")
    expect(balance).to_have_text("135 credits")
    expect(membership).to_contain_text("paid until")
    expect(page.get_by_text("Included, so they cost no credits: Preview")).to_be_visible()
    reads.release()

    ((bought,),) = system.query(BOUGHT, screen.user_id())
    other = {"environment": "SANDBOX", "store": "TEST_STORE"}
    refunded = refund(uuid.uuid4(), bought["event_timestamp_ms"] + 1, bought, **other)
    assert tell(system, refunded) == "revoked"
    expect(balance).to_have_text("35 credits")
    expect(page.get_by_text("Purchase refunded")).to_be_visible()
    expect(page.get_by_text("\u2212100")).to_be_visible()

    page.get_by_role("button", name="Manage subscription").click()
    expect(membership).to_contain_text("Your membership ended on")
    buy(page, "Lifetime membership")
    expect(membership).to_have_text("You are a member for life.")
    page.get_by_role("button", name="Restore purchases").click()
    expect(page.get_by_text("Your earlier purchases are yours again.")).to_be_visible()

    system.query(GIFTS, screen.user_id())
    expect(balance).to_have_text("105 credits")

    def is_at_the_end() -> bool:
        page.mouse.wheel(0, 4000)
        return page.get_by_text("Welcome credits").count() == 1

    screen.until(is_at_the_end, "the oldest entry")
    assert screen.problems == []
