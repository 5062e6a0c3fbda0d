"""The actions of a user, from the first tap to the share sheet, without a fault."""

import re

from playwright.sync_api import Browser, expect

from tests.app.phone import Phone, switched_on
from tests.app.system import System


def test_a_tap_becomes_a_picture_in_its_place(phone: Phone, system: System) -> None:
    signed = []
    phone.context.route("**/object/sign/generations", lambda route: signed.append(route))
    screen = phone.start().open()
    job_id = screen.ask("A lighthouse at dusk, oil on canvas")
    screen.expect_picture(job_id)
    assert signed == [], "the news brings what loads the picture"
    expect(screen.cards).to_have_count(1)
    expect(screen.page.get_by_test_id("credits")).to_have_text("4 credits")
    assert system.jobs_of(screen.user_id()) == [job_id]
    assert screen.problems == []


def test_a_failed_one_shows_its_prompt_and_reason_and_can_be_retried(phone: Phone, system: System) -> None:
    screen = phone.start().open()
    failed = screen.ask("something forbidden in a garden")
    card = screen.card(failed)
    expect(card).to_contain_text("something forbidden in a garden")
    expect(card).to_contain_text("allowed. Change it and try again.")
    expect(screen.page.get_by_test_id("credits")).to_have_text("5 credits")

    later = screen.ask("Something after it")
    screen.expect_picture(later)
    card.get_by_role("button", name="Retry").click()
    expect(screen.card(failed)).to_have_count(0)
    expect(screen.cards).to_have_count(2)
    (first, retried) = screen.ids()
    assert first == later, "the new card is in the place of the failed one"
    expect(screen.card(retried)).to_contain_text("something forbidden in a garden")
    expect(screen.card(retried)).to_contain_text("allowed. Change it and try again.")
    assert set(system.jobs_of(screen.user_id())) == {failed, later, retried}
    left = "select id::text from public.generations where id = %s"
    screen.until(lambda: system.query(left, failed) == [], "the end of the failed one")


def test_the_prompt_of_a_failed_one_can_be_edited(phone: Phone) -> None:
    screen = phone.start().open()
    failed = screen.ask("something forbidden in a garden")
    expect(screen.card(failed)).to_contain_text("allowed. Change it")
    screen.card(failed).get_by_role("link", name="Open: something forbidden").click()
    screen.page.get_by_role("button", name="Edit prompt").click()
    expect(screen.prompt).to_have_value("something forbidden in a garden")
    expect(screen.generate).to_be_enabled()
    expect(screen.cards).to_have_count(1)


def test_one_under_way_can_be_canceled_and_costs_nothing(phone: Phone, system: System) -> None:
    screen = phone.start().open()
    with system.frozen("worker"):
        job_id = screen.ask("An unwanted picture")
        card = screen.card(job_id)
        expect(card).to_contain_text("In line")
        expect(screen.page.get_by_test_id("credits")).to_have_text("4 credits")
        card.get_by_role("button", name="Cancel").click()
        expect(card).to_contain_text("You canceled this.")
        expect(screen.page.get_by_test_id("credits")).to_have_text("5 credits")


def test_out_of_credits_is_said_with_what_to_do(phone: Phone, system: System) -> None:
    screen = phone.start().open()
    with system.frozen("worker"):
        for number in range(5):
            screen.ask(f"Picture {number}")
        expect(screen.page.get_by_test_id("credits")).to_have_text("0 credits")
        refused = screen.ask("One too many")
        expect(screen.card(refused)).to_contain_text("out of credits. Add some, then tap Retry.")
        screen.photograph("out-of-credits")
    assert refused not in system.jobs_of(screen.user_id())


def test_too_many_at_once_wait_on_the_phone_and_are_sent_later(phone: Phone, system: System) -> None:
    screen = phone.start().open()
    change = "update private.config set max_unfinished_jobs = %s returning true"
    system.query(change, 2)
    try:
        with system.frozen("worker"):
            for number in range(2):
                expect(screen.card(screen.ask(f"Picture {number}"))).to_contain_text("In line")
            late = screen.ask("The third")
            expect(screen.card(late)).to_contain_text("Waiting for a free place")
        screen.expect_picture(late)
    finally:
        system.query(change, 20)


def test_details_share_and_delete(phone: Phone) -> None:
    screen = phone.start().open()
    job_id = screen.ask("Koi in a neon pond")
    screen.expect_picture(job_id)
    screen.page.get_by_role("link", name="Open: Koi in a neon pond").click()
    expect(screen.page).to_have_url(re.compile(f"/generation/{job_id}$"))
    with screen.page.expect_download() as download:
        screen.page.get_by_role("button", name="Share").click()
    assert download.value.suggested_filename == f"{job_id}-0.jpg"

    screen.page.get_by_role("button", name="More").click()
    screen.page.get_by_role("button", name="Delete").click()
    expect(screen.prompt).to_be_visible()
    expect(screen.cards).to_have_count(0)
    screen.open()
    expect(screen.page.get_by_role("heading", name="What do you see?")).to_be_visible()
    expect(screen.cards).to_have_count(0)


def test_the_gallery_is_read_page_by_page(phone: Phone, system: System) -> None:
    # While a user scrolls, Chromium may report no idle time for seconds. Here it never does.
    phone.context.add_init_script("window.requestIdleCallback = () => 1")
    screen = phone.start().open()
    user_id = screen.user_id()
    system.query(
        """
        insert into public.generations
          (id, user_id, model_id, input, status, error_code, error_message, requested_at, created_at)
        select gen_random_uuid(), %s, 'preview', jsonb_build_object('prompt', 'Old picture ' || number),
          'failed', 'timed_out', 'This took too long.', ended_at, ended_at
        from (select number, now() - make_interval(mins => number) as ended_at from generate_series(1, 70) number) old
        returning id
        """,
        user_id,
    )
    screen.open()
    expect(screen.page.get_by_text("Old picture 1", exact=True)).to_be_visible()
    last = screen.page.get_by_text("Old picture 70", exact=True)
    screen.page.mouse.move(195, 400)

    def scroll_down() -> bool:
        screen.page.mouse.wheel(0, 3000)
        return last.count() > 0

    screen.until(scroll_down, "the oldest picture")
    expect(last).to_be_visible()


def test_a_new_card_leaves_the_pictures_below_it_alone(phone: Phone) -> None:
    screen = phone.start().open()
    known = [screen.ask(f"Picture {number}") for number in range(4)]
    for job_id in known:
        screen.expect_picture(job_id)
    screen.cards.evaluate_all("cards => cards.forEach(card => { card.isKnown = true; })")
    job_id = screen.ask("One more")
    screen.expect_picture(job_id)
    assert screen.ids() == [job_id, *reversed(known)]
    assert screen.cards.evaluate_all("cards => cards.map(card => card.isKnown ?? false)") == [
        False,
        *[True] * 4,
    ]


def test_a_second_user_sees_nothing_of_the_first(phone: Phone, other_phone: Phone) -> None:
    first, second = phone.start().open(), other_phone.start().open()
    job_id = first.ask("A secret garden")
    first.expect_picture(job_id)
    assert first.user_id() != second.user_id()
    second.open(f"/generation/{job_id}")
    expect(second.page.get_by_text("There is no such picture here.")).to_be_visible()
    second.open()
    expect(second.page.get_by_role("heading", name="What do you see?")).to_be_visible()
    expect(second.cards).to_have_count(0)


def test_a_grant_and_a_subscription_are_shown_as_they_come(phone: Phone, system: System) -> None:
    screen = phone.start().open()
    credits = screen.page.get_by_test_id("credits")
    expect(credits).to_have_text("5 credits")
    screen.expect_joined()
    user_id = screen.user_id()
    system.query("select public.grant_credits(%s, 20, 'gift', %s)", user_id, f"gift-{user_id}")
    expect(credits).to_have_text("25 credits")
    change = "update public.entitlements set paid_until = now() + interval '1 day' where user_id = %s returning true"
    system.query(change, user_id)
    expect(credits).to_have_text("Member · 25 credits")


def test_light_and_dark(browser: Browser, site: str) -> None:
    for scheme in ("light", "dark"):
        with switched_on(browser, site, color_scheme=scheme) as phone:
            screen = phone.start().open()
            expect(screen.page.get_by_role("heading", name="What do you see?")).to_be_visible()
            expect(screen.page.get_by_test_id("credits")).to_be_visible()
            screen.photograph(f"empty-{scheme}")
            failed = screen.ask("A forbidden forest")
            for prompt in ("A lighthouse at dusk", "Koi in a neon pond", "A quiet library inside a whale"):
                screen.expect_picture(screen.ask(prompt))
            expect(screen.card(failed)).to_contain_text("allowed. Change it")
            screen.page.wait_for_timeout(400)  # the pictures fade in
            screen.photograph(f"gallery-{scheme}")
            screen.page.get_by_role("link", name="Open: Koi").click()
            expect(screen.page.get_by_role("button", name="Share")).to_be_visible()
            screen.page.wait_for_timeout(400)
            screen.photograph(f"detail-{scheme}")
