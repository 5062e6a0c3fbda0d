"""An app in the field outlives the server's future, other browsers and its own disk."""

import json
import re
from typing import Any

import pytest
from playwright.sync_api import Route, expect

from tests.app.phone import Phone, Screen
from tests.app.system import System
from tests.app.wire import Wire, statuses

ALLOW = {"Access-Control-Allow-Origin": "*"}

CHANGES_OF_GALLERY = (
    "gallery => [null, ...gallery.map(({ output, ...card }) => card)]",
    "gallery => gallery.map(card => ({ ...card, status: 'moderating' }))",
    "() => 7",
)

REFUSALS = (
    (403, {"code": "account_suspended", "message": "This account is suspended."}, "account is suspended."),
    (426, {"code": "too_old", "message": "Update the app to go on."}, "Update the app"),
    (451, {"code": "not_here", "message": "Not offered in your country."}, "in your country"),
    (413, None, "This prompt is too long."),
    (403, None, "The server refused this request."),
)


def change_disk(phone: Phone, key: str, change: str) -> int:
    """Change every value whose key contains this; how many there were."""
    count = phone.on_disk(
        f"""key => {{
          const keys = Object.keys(localStorage).filter(name => name.includes(key));
          const change = {change};
          for (const name of keys) {{
            localStorage.setItem(name, JSON.stringify(change(JSON.parse(localStorage.getItem(name)))));
          }}
          return keys.length;
        }}""",
        key,
    )
    return int(count)


def wait_for_disk(screen: Screen, key: str) -> None:
    find = (
        "key => Object.keys(localStorage).some(name => name.includes(key) && localStorage[name].length > 2)"
    )
    screen.until(lambda: screen.page.evaluate(find, key), f"{key} on the disk")


def test_a_strange_gallery_on_disk_is_read_again(phone: Phone) -> None:
    screen = phone.start().open()
    job_id = screen.ask("A picture that comes back")
    screen.expect_picture(job_id)
    for change in CHANGES_OF_GALLERY:
        wait_for_disk(screen, ".gallery.")
        screen.page.close()
        assert change_disk(phone, ".gallery.", change) > 0
        screen = phone.start().open()
        screen.expect_picture(job_id)
        assert screen.problems == []


def test_a_strange_request_on_disk_locks_nothing_and_is_kept(phone: Phone) -> None:
    screen = phone.start()
    screen.page.route("**/enqueue_generation", lambda route: route.abort())
    screen.open()
    screen.ask("A request that cannot be read later")
    screen.page.close()
    assert change_disk(phone, ".outbox.", "entry => ({ ...entry, input: null })") == 1
    screen = phone.start().open()
    screen.expect_picture(screen.ask("A request after it"))
    kept = phone.on_disk("() => Object.keys(localStorage).filter(key => key.includes('unreadable.outbox.'))")
    assert len(kept) == 1
    assert screen.problems == []


def test_an_unknown_refusal_is_final_and_says_why(phone: Phone, system: System) -> None:
    answers = list(REFUSALS)

    def refuse(route: Route) -> None:
        if route.request.method != "POST":
            return route.continue_()
        status, body, _ = answers.pop(0)
        text = json.dumps({"error": body}) if body else "<html>no</html>"
        kind = "application/json" if body else "text/html"
        route.fulfill(status=status, body=text, headers={**ALLOW, "Content-Type": kind})

    phone.context.route("**/enqueue_generation", refuse)
    screen = phone.start().open()
    for number, (_, _, shown) in enumerate(REFUSALS):
        card = screen.card(screen.ask(f"Something refused {number}"))
        expect(card).to_contain_text(shown)
        expect(card.get_by_role("button", name="Retry")).to_be_visible()
    screen.photograph("refused")
    # No server answers another request: time in which one that waits would have been repeated.
    screen.page.wait_for_timeout(2500)
    assert answers == []
    assert system.jobs_of(screen.user_id()) == []


def test_an_answer_that_means_nothing_is_asked_for_again(phone: Phone, system: System) -> None:
    answers = [
        (200, "<html>Sign in to the hotel's network</html>", "text/html"),
        (202, "null", "application/json"),
        (500, "", "text/plain"),
    ]

    def answer(route: Route) -> None:
        if route.request.method != "POST" or not answers:
            return route.continue_()
        status, body, kind = answers.pop(0)
        route.fulfill(status=status, body=body, headers={**ALLOW, "Content-Type": kind})

    phone.context.route("**/enqueue_generation", answer)
    screen = phone.start().open()
    job_id = screen.ask("A picture behind a sign-in page")
    screen.expect_picture(job_id)
    assert answers == []
    assert system.jobs_of(screen.user_id()) == [job_id]


def test_an_unknown_status_stays_pending(phone: Phone) -> None:
    wire = Wire(phone, holds=True)
    screen = phone.start().open()
    screen.until(lambda: wire.joins == 1, "the channel")
    job_id = screen.ask("A picture that is looked at first")
    screen.until(lambda: "succeeded" in statuses(wire.jobs), "the end of the job")
    ended = next(message for message in wire.jobs if statuses([message]) == ["succeeded"])
    wire.play([with_payload(ended, status="moderating", generation=None, mood="good")])
    wire.play([with_payload(ended, id=None), with_payload(ended, updated_at="never")])
    expect(screen.card(job_id)).to_contain_text("Painting")
    wire.play([ended])
    screen.expect_picture(job_id)
    assert screen.problems == []


def with_payload(message: str, **changes: Any) -> str:
    frame = json.loads(message)
    frame[4]["payload"] |= changes
    return json.dumps(frame)


SHIFT_CLOCK = """
const Clock = Date;
window.Date = class extends Clock {
  constructor(...parts) { super(...(parts.length ? parts : [Clock.now() + shift])); }
  static now() { return Clock.now() + shift; }
};"""

HOSTILE = {
    "storage is forbidden": """Object.defineProperty(window, 'localStorage', {
      get() { throw new DOMException('denied', 'SecurityError'); } });
      navigator.locks.request = () => Promise.reject(new DOMException('denied', 'SecurityError'));""",
    "the disk is full": """Storage.prototype.setItem = () => {
      throw new DOMException('full', 'QuotaExceededError'); };""",
    "a plain http address": """delete Crypto.prototype.randomUUID; delete Crypto.prototype.subtle;
      delete Navigator.prototype.locks; delete Navigator.prototype.storage;
      delete window.BroadcastChannel;""",
    "a clock that is days ahead": "const shift = 3 * 86_400_000;" + SHIFT_CLOCK,
    "a clock that begins in 1970": "const shift = -Date.now();" + SHIFT_CLOCK,
    "wrongly offline": "Object.defineProperty(Navigator.prototype, 'onLine', { get: () => false });",
}


@pytest.mark.parametrize("script", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_browser(phone: Phone, system: System, script: str) -> None:
    phone.context.add_init_script(script)
    users: list[str] = []

    def count(route: Route) -> None:
        users.append(route.request.url)
        route.continue_()

    phone.context.route("**/auth/v1/signup*", count)
    screen = phone.start().open()
    job_id = screen.ask("A picture all the same")
    screen.expect_picture(job_id)
    second = screen.ask("And a second")
    screen.expect_picture(second)
    assert len(users) == 1
    assert re.fullmatch("[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", job_id)
    owners = system.query(
        "select distinct user_id from public.credit_entries where job_id in (%s, %s)", job_id, second
    )
    assert len(owners) == 1
    assert screen.problems == []


def test_a_request_canceled_in_one_tab_is_not_charged_by_another(phone: Phone, system: System) -> None:
    one = phone.start().open()
    one.user_id()
    phone.context.route("**/enqueue_generation", lambda route: route.abort())
    job_id = one.ask("A picture that is wanted no more")
    expect(one.card(job_id)).to_contain_text("Waiting for a connection")
    other = phone.start().open()
    other.card(job_id).get_by_role("button", name="Cancel").click()
    expect(other.card(job_id)).to_have_count(0)
    with system.frozen("worker"):
        phone.context.unroute("**/enqueue_generation")
        second = one.ask("Something that is wanted")
        expect(one.card(second)).to_contain_text("In line")
        kept = "() => Object.keys(localStorage).filter(key => key.includes('.outbox.')).length"
        one.until(lambda: one.page.evaluate(kept) == 0, "an empty outbox")
    one.expect_picture(second)
    entries = system.query("select kind from public.credit_entries where job_id = %s order by id", job_id)
    assert [kind for (kind,) in entries] in ([], ["hold", "refund"])


def test_a_malformed_id_in_the_address_is_not_asked_for(phone: Phone) -> None:
    asked: list[str] = []

    def count(route: Route) -> None:
        asked.append(route.request.url)
        route.continue_()

    phone.context.route("**/get_job_status?*", count)
    screen = phone.start().open("/generation/not-an-id")
    expect(screen.page.get_by_text("There is no such picture here.")).to_be_visible()
    screen.user_id()
    screen.page.wait_for_timeout(1000)
    assert asked == []


def test_the_last_models_are_offered_before_the_server_answers(phone: Phone, system: System) -> None:
    enabled = system.query("select id from private.models where enabled order by cost, id")
    screen = phone.start().open()
    expect(screen.page.get_by_role("button", name=re.compile("^Generate, "))).to_be_attached()
    wait_for_disk(screen, ".models")
    screen.page.close()
    phone.context.route(f"{system.url}/**", lambda route: route.abort())
    screen = phone.start().open()
    expect(screen.page.get_by_role("button", name=re.compile("^Generate, "))).to_be_attached()
    screen.page.get_by_role("button", name=": Model").click()
    assert screen.page.get_by_role("radio").count() == len(enabled)
