"""The wall and the picture screen: with a keyboard, repeated taps and a small screen."""

import re

from playwright.sync_api import Request, expect

from tests.app.phone import Phone, Screen
from tests.app.system import System

OVERLAPS = """() => {
  const boxes = [...document.querySelectorAll('[data-testid^="card-"]')].map(card => card.getBoundingClientRect());
  const meet = (one, other) => one.left < other.right - 1 && other.left < one.right - 1
    && one.top < other.bottom - 1 && other.top < one.bottom - 1;
  return boxes.some((one, at) => boxes.slice(at + 1).some(other => meet(one, other)));
}"""

FULL_WALL = """
insert into public.generations (id, user_id, model_id, input, status, output, requested_at, created_at)
select gen_random_uuid(), user_id, model_id, jsonb_build_object('prompt', 'Copy ' || number), status, output,
  requested_at - make_interval(mins => number), created_at - make_interval(mins => number)
from public.generations, generate_series(1, 59) number where id = %s returning id
"""

COMMITS = """() => {
  window.changes = 0;
  new MutationObserver(list => { window.changes += list.length; })
    .observe(document.body, { subtree: true, childList: true, attributes: true, characterData: true });
}"""


def in_the_database(system: System, job_id: str) -> bool:
    return system.query("select 1 from public.generations where id = %s", job_id) != []


def test_a_full_wall_loads_what_is_seen_and_a_keyboard_walks_it(phone: Phone, system: System) -> None:
    screen = phone.start().open()
    job_id = screen.ask("A lighthouse at dusk")
    screen.expect_picture(job_id)
    system.query(FULL_WALL, job_id)
    screen.page.close()

    loaded: list[Request] = []
    screen = phone.start()

    def note(request: Request) -> None:
        if "/object/sign/generations/" in request.url:
            loaded.append(request)

    screen.page.on("requestfinished", note)
    for width, height in ((1440, 900), (390, 844)):
        loaded.clear()
        screen.page.set_viewport_size({"width": width, "height": height})
        screen.open()
        expect(screen.page.get_by_role("link", name="Open: Copy 3")).to_be_visible()
        screen.expect_picture(job_id)
        screen.page.wait_for_load_state("networkidle")
        pictures = [request for request in loaded if request.method == "GET"]
        assert 0 < len(pictures) <= 20
        assert sum(request.sizes()["responseBodySize"] for request in pictures) <= 600_000
        assert not screen.page.evaluate(OVERLAPS)

    links = screen.page.get_by_role("link", name=re.compile("^Open: "))
    links.first.focus()
    for _ in range(2):
        screen.page.keyboard.press("Tab")
    assert screen.page.evaluate("() => document.activeElement.ariaLabel") == "Open: Copy 2"
    screen.page.keyboard.press("Enter")
    expect(screen.page.get_by_role("heading", name="Copy 2")).to_be_visible()
    expect(screen.page.get_by_role("button", name="Back")).to_be_focused()
    screen.page.keyboard.press("ArrowRight")
    expect(screen.page.get_by_role("heading", name="Copy 3")).to_be_visible()
    screen.page.keyboard.press("ArrowLeft")
    screen.page.keyboard.press("ArrowLeft")
    expect(screen.page.get_by_role("heading", name="Copy 1")).to_be_visible()
    screen.page.keyboard.press("Escape")
    expect(links.nth(2)).to_be_focused()
    assert screen.problems == []


def test_a_deletion_can_be_undone_and_survives_the_end_of_the_app(phone: Phone, system: System) -> None:
    screen = phone.start().open()
    job_id = screen.ask("Koi in a neon pond")
    screen.expect_picture(job_id)

    def delete() -> None:
        screen.page.get_by_role("link", name="Open: Koi").click()
        screen.page.get_by_role("button", name="More").click()
        screen.page.get_by_role("button", name="Delete").click()
        expect(screen.card(job_id)).to_have_count(0)

    delete()
    screen.page.get_by_role("button", name="Undo").click()
    screen.expect_picture(job_id)
    assert in_the_database(system, job_id)
    delete()
    expect(screen.page.get_by_role("button", name="Undo")).to_be_visible()
    assert in_the_database(system, job_id)
    screen.page.close()
    screen = phone.start().open()
    expect(screen.page.get_by_role("heading", name="What do you see?")).to_be_visible()
    screen.until(lambda: not in_the_database(system, job_id), "the deletion")
    expect(screen.cards).to_have_count(0)


def test_waiting_cards_cost_nothing_and_words_cover_nothing(phone: Phone, system: System) -> None:
    screen = phone.start()
    screen.page.set_viewport_size({"width": 320, "height": 640})
    screen.open()
    sample = screen.page.get_by_role("button", name="A fox in a snowy forest")
    sample.click()
    expect(screen.prompt).to_have_value("A fox in a snowy forest")
    failed = screen.ask("something forbidden in a garden with a rather long description of its many flowers")
    expect(screen.card(failed)).to_contain_text("allowed. Change it")
    screen.expect_joined()
    with system.frozen("worker"):
        waiting = [screen.ask(f"Picture {number}") for number in range(3)]
        for job_id in waiting:
            expect(screen.card(job_id)).to_contain_text("In line")
        screen.page.wait_for_load_state("networkidle")
        screen.page.evaluate(COMMITS)
        screen.page.wait_for_timeout(2000)
        assert screen.page.evaluate("() => window.changes") == 0

        screen.page.add_style_tag(
            content="[data-testid^='card-'] * { font-size: 26px !important; line-height: 34px !important; }"
        )
        screen.until(lambda: not screen.page.evaluate(OVERLAPS), "room for larger words")
        for label in ("Edit", "Retry"):
            button = screen.card(failed).get_by_role("button", name=label)
            button.scroll_into_view_if_needed()
            button.click(trial=True)
    for job_id in waiting:
        screen.expect_picture(job_id)
    assert screen.problems == []


def test_no_credits_are_said_before_the_tap(phone: Phone, system: System) -> None:
    screen = phone.start().open()
    expect(screen.page.get_by_test_id("credits")).to_have_text("5 credits")
    expect(screen.page.get_by_test_id("get-credits")).to_have_count(0)
    spend = "update public.entitlements set credits = 0 where user_id = %s returning true"
    system.query(spend, screen.user_id())
    screen.open()
    expect(screen.page.get_by_text("You have 0 credits; this takes 1.")).to_be_visible()
    screen.page.get_by_test_id("get-credits").click()
    expect(screen.page).to_have_url(re.compile("/credits$"))


def test_a_picture_is_reported_once(phone: Phone, system: System) -> None:
    screen: Screen = phone.start().open()
    job_id = screen.ask("A castle in the mist")
    screen.expect_picture(job_id)
    screen.page.get_by_role("link", name="Open: A castle").click()
    screen.page.get_by_role("button", name="More").click()
    screen.page.get_by_role("button", name="Report").click()
    screen.page.get_by_role("radio", name="Violent").click()
    screen.page.get_by_role("textbox", name="In your own words").fill("A dragon is missing.")
    screen.page.get_by_role("button", name="Send report").click()
    expect(screen.page.get_by_text("Thank you.")).to_be_visible()
    rows = system.query("select reason, text from private.reports where generation_id = %s", job_id)
    assert rows == [("violent", "A dragon is missing.")]
