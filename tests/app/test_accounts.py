"""An account outlives its phone, two phones have one backup, and an account ends, with the app or
without.
"""

import re
import time

from playwright.sync_api import Browser, expect

from tests.app.phone import Phone, Screen, switched_on
from tests.app.system import System

COPY = "() => Object.entries(localStorage)"
PASTE = "entries => entries.forEach(([key, value]) => localStorage.setItem(key, value))"
LOSE = """() => Object.keys(localStorage).filter(key => key.endsWith('-auth-token'))
  .forEach(key => localStorage.removeItem(key))"""
IS_KEPT = """() => Object.entries(localStorage).some(
  ([key, value]) => key.includes('.gallery.') && value.includes('succeeded'))"""
LEFT = "Not sent by the account before."
KEPT = "user => Object.entries(localStorage).filter(entry => entry.join().includes(user)).map(([key]) => key)"


def code_for(screen: Screen, system: System, email: str) -> str:
    """The last code that Auth printed in place of a mail."""

    def printed() -> str:
        log = (system.folder / "up.log").read_text(errors="replace")
        codes: list[str] = re.findall(rf"A mail to {re.escape(email)}: your code is (\d{{6}})\n", log)
        return codes[-1] if codes else ""

    return str(screen.until(printed, f"a code for {email}"))


def press(screen: Screen, name: str) -> None:
    screen.page.get_by_role("button", name=name, exact=True).click()


def ask_for_code(screen: Screen, email: str) -> None:
    screen.page.get_by_label("E-mail address").fill(email)
    press(screen, "Send a code")


def enter(screen: Screen, system: System, email: str, button: str) -> None:
    expect(screen.page.get_by_text(f"on its way to {email}")).to_be_visible()
    screen.page.get_by_label("Code", exact=True).fill(code_for(screen, system, email))
    press(screen, button)


def write_a_draft(screen: Screen) -> None:
    screen.prompt.fill("For my eyes only")
    kept = "() => localStorage['pilotlight.1.draft']?.includes('my eyes')"
    screen.until(lambda: screen.page.evaluate(kept), "the draft on the disk")


def renew(phone: Phone, screen: Screen) -> Screen:
    """Start the app with an access token that has expired, and wait for Auth's answer to it."""
    session = screen.session()
    screen.page.close()
    phone.change_session(session | {"expires_at": int(time.time()) - 10})
    screen = phone.start()
    with screen.page.expect_response(lambda response: "grant_type=refresh_token" in response.url):
        screen.open()
    return screen


def renew_to_a_new_token(phone: Phone, screen: Screen) -> Screen:
    spent = screen.session()["refresh_token"]
    screen = renew(phone, screen)
    screen.until(lambda: screen.session().get("refresh_token") not in (None, spent), "a new token")
    return screen


def expect_lost(screen: Screen) -> None:
    expect(screen.page.get_by_text("You are signed out")).to_be_visible()


def test_two_phones_with_one_backup(phone: Phone, other_phone: Phone, system: System) -> None:
    one = phone.start().open()
    user_id, kept = one.user_id(), one.ask("A picture in a backup")
    one.expect_picture(kept)
    one.until(lambda: one.page.evaluate(IS_KEPT), "the picture on the disk")
    other_phone.on_disk(PASTE, one.page.evaluate(COPY))

    # The first phone goes on, and the copy then shows a token that was spent two tokens ago.
    for _ in range(2):
        one = renew_to_a_new_token(phone, one)
    other = other_phone.start().open()
    other.expect_picture(kept)
    other.until(lambda: other.page.evaluate(IS_KEPT), "the picture on the disk")
    other = renew(other_phone, other)
    expect_lost(other)
    other.expect_picture(kept)
    asked = other.ask("Asked while signed out")
    expect(other.card(asked)).to_contain_text("Waiting until you are signed in")
    other.photograph("lost")

    # Auth ended the session for both; the first phone learns it at its next renewal.
    one = renew(phone, one)
    expect_lost(one)
    one.expect_picture(kept)
    users = system.query("select count(*) from auth.users")

    press(other, "Start anew")
    expect(other.page.get_by_text("1 request is not sent yet.")).to_be_visible()
    press(other, "Start a new account")
    expect(other.card(asked)).to_contain_text(LEFT)
    next_id = other.user_id()
    assert next_id != user_id and system.jobs_of(next_id) == []
    expect(other.card(kept)).to_be_visible()
    other.card(asked).get_by_role("button", name="Retry").click()
    other.until(lambda: len(system.jobs_of(next_id)) == 1, "the retry")
    other.expect_picture(system.jobs_of(next_id)[0])
    expect(other.card(asked)).to_have_count(0)
    assert system.query("select count(*) from auth.users") == [(users[0][0] + 1,)]
    assert system.jobs_of(user_id) == [kept]
    assert one.problems == [] and other.problems == []


def test_an_account_from_its_address_to_its_end(phone: Phone, other_phone: Phone, system: System) -> None:
    one = phone.start().open()
    user_id, kept = one.user_id(), one.ask("A picture on two phones")
    one.expect_picture(kept)
    email = f"{user_id}@example.com"
    one.open("/settings")
    ask_for_code(one, email)
    one.page.get_by_label("Code", exact=True).fill("000000")
    press(one, "Save account")
    expect(one.page.get_by_text("This code is wrong or too old.")).to_be_visible()
    one.photograph("save")
    one.page.reload()  # the app was ended while its user read the mail
    enter(one, system, email, "Save account")
    expect(one.page.get_by_text(f"Signed in as {email}.")).to_be_visible()
    assert one.user_id() == user_id

    # Another phone, whose own user has something unsent.
    two = other_phone.start()
    other_phone.context.route("**/enqueue_generation", lambda route: route.abort())
    two.open()
    first_id, unsent = two.user_id(), two.ask("Asked on the second phone")
    two.open("/settings")
    expect(two.page.get_by_role("button", name="Sign in instead")).to_have_count(0)
    ask_for_code(two, email)
    expect(two.page.get_by_text("This address has an account already.")).to_be_visible()
    press(two, "Sign in instead")
    expect(two.page.get_by_text("1 request is not sent yet.")).to_be_visible()
    two.photograph("sign-in-instead")
    press(two, "Send a code")
    enter(two, system, email, "Sign in")
    expect(two.page.get_by_text(f"Signed in as {email}.")).to_be_visible()
    assert two.user_id() == user_id
    other_phone.context.unroute("**/enqueue_generation")
    two.open("/")
    two.expect_picture(kept)
    expect(two.card(unsent)).to_contain_text(LEFT)
    assert system.jobs_of(first_id) == [] and system.jobs_of(user_id) == [kept]

    write_a_draft(two)
    two.open("/settings")
    press(two, "Sign out")
    expect(two.page.get_by_text("1 request is not sent yet. It waits")).to_be_visible()
    press(two, "Sign out")
    expect(two.page.get_by_text("Save your account")).to_be_visible()
    assert two.user_id() not in (user_id, first_id)
    two.open("/")
    expect(two.prompt).to_have_value("")

    # The first phone loses its session. The user comes back, and the waiting requests are sent.
    one.page.close()
    phone.on_disk(LOSE)
    one = phone.start().open()
    expect_lost(one)
    waiting = one.ask("Asked while signed out")
    press(one, "Sign in")
    expect(one.page.get_by_label("E-mail address")).to_have_value(email)
    press(one, "Send a code")
    enter(one, system, email, "Sign in")
    one.until(lambda: sorted(system.jobs_of(user_id)) == sorted([kept, waiting]), "the request that waited")
    assert one.user_id() == user_id

    one.open("/")
    write_a_draft(one)
    one.open("/settings")
    press(one, "Delete account")
    one.photograph("delete")
    press(one, "Delete for good")
    expect(one.prompt).to_have_value("")
    one.until(lambda: one.user_id() != user_id, "another user")
    one.until(lambda: one.page.evaluate(KEPT, user_id) == [], "a disk without the user")
    expect(one.card(kept)).to_have_count(0)
    assert system.query("select count(*) from auth.users where id = %s", user_id) == [(0,)]
    assert one.problems == [] and two.problems == []


def test_an_account_that_is_deleted_in_one_tab_leaves_the_other(phone: Phone, system: System) -> None:
    one, other = phone.start().open(), phone.start().open()
    user_id = one.user_id()
    job_id = one.ask("A picture in two tabs")
    other.expect_picture(job_id)
    one.open("/settings")
    press(one, "Delete account")
    press(one, "Delete for good")
    one.until(lambda: one.user_id() != user_id, "another user")
    expect(other.card(job_id)).to_have_count(0)
    second = other.ask("A picture of the next user")
    other.expect_picture(second)
    one.until(lambda: one.page.evaluate(KEPT, user_id) == [], "a disk without the user")
    assert system.jobs_of(one.user_id()) == [second]
    assert one.problems == [] and other.problems == []


def test_the_page_that_deletes_without_the_app(
    browser: Browser, site: str, phone: Phone, system: System
) -> None:
    one = phone.start().open("/settings")
    user_id = one.user_id()
    email = f"{user_id}@example.com"
    ask_for_code(one, email)
    enter(one, system, email, "Save account")
    expect(one.page.get_by_text(f"Signed in as {email}.")).to_be_visible()

    users = system.query("select count(*) from auth.users")[0][0]
    with switched_on(browser, site) as elsewhere:
        page = elsewhere.start().open("/delete-account")
        expect(page.page.get_by_role("heading", name="Delete account")).to_be_visible()
        page.photograph("delete-page")
        ask_for_code(page, "stranger@example.com")
        expect(page.page.get_by_text("There is no account with this address.")).to_be_visible()
        ask_for_code(page, email)
        enter(page, system, email, "Continue")
        press(page, "Delete account")
        press(page, "Delete for good")
        expect(page.page.get_by_text("The account is deleted.")).to_be_visible()
        assert page.session() == {}
        assert page.problems == []
    assert system.query("select count(*) from auth.users") == [(users - 1,)]
    assert system.query("select count(*) from auth.users where id = %s", user_id) == [(0,)]

    # The app of that account shows it after its next call.
    one.open("/")
    expect_lost(one)
