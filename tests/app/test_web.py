"""Behaviour of a browser: keyboard, zoom, wrong addresses, and a reload while a user types."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import requests
from playwright.sync_api import Browser, expect

from tests.app.commits import COUNT_COMMITS
from tests.app.phone import Phone, Screen, switched_on
from tests.app.site import APP, served
from tests.app.system import System
from tests.app.test_outputs import choose
from tests.app.test_photos import expect_picked, photo_of_a_phone, pick

AXE = APP / "node_modules" / "axe-core" / "axe.min.js"
HIGH = 256  # pixels of a window of 1280 by 1024 at 400 %


def height_of(screen: Screen) -> float:
    box = screen.prompt.bounding_box()
    assert box is not None
    return box["height"]


def test_the_prompt_is_a_box_that_grows_and_enter_sends_it(phone: Phone) -> None:
    screen = phone.start().open()
    screen.prompt.click()
    assert screen.prompt.evaluate("box => getComputedStyle(box).outlineStyle") == "none"
    one_line = height_of(screen)
    screen.page.keyboard.type("A harbour")
    screen.page.keyboard.press("Shift+Enter")
    screen.page.keyboard.type("at night")
    assert height_of(screen) > one_line + 15
    # The Enter that chooses a word of an input method, as browsers say it.
    for enter in ({"key": "Enter", "isComposing": True}, {"key": "Enter", "keyCode": 229}):
        screen.prompt.dispatch_event("keydown", {**enter, "bubbles": True, "cancelable": True})
    assert screen.ids() == []
    screen.page.keyboard.press("Enter")
    screen.until(lambda: len(screen.ids()) == 1, "a card")
    expect(screen.prompt).to_have_value("")
    assert height_of(screen) == one_line
    screen.expect_picture(screen.ids()[0])

    # The focus goes into a picture's screen, and back to its card.
    card = screen.card(screen.ids()[0]).get_by_role("link")
    card.click()
    expect(screen.page.get_by_role("button", name="Back")).to_be_focused()
    screen.page.keyboard.press("Enter")
    expect(card).to_be_focused()
    assert screen.problems == []


def test_the_composer_outlives_a_restart(phone: Phone, system: System) -> None:
    screen = phone.start().open()
    choose(screen, "Preview")
    pick(screen, photo_of_a_phone())
    expect_picked(screen)
    screen.page.get_by_role("button", name="More: Options of the model").click()
    screen.page.get_by_role("button", name="+: More: Pictures").click()
    screen.prompt.fill("A thought half done")
    kept = "() => localStorage['pilotlight.1.draft']?.includes('half done')"
    screen.until(lambda: screen.page.evaluate(kept), "the draft on the disk")
    screen.page.close()

    screen = phone.start().open()
    expect(screen.prompt).to_have_value("A thought half done")
    expect_picked(screen)
    screen.photograph("restored")
    screen.generate.click()
    screen.until(lambda: len(screen.ids()) == 1, "a card")
    job_id = screen.ids()[0]
    screen.expect_picture(job_id)
    rows = system.query("select input from public.generations where id = %s", job_id)
    ((sent,),) = rows
    assert sent["num_outputs"] == 2
    expect(screen.page.get_by_role("button", name="Remove: Start photo")).to_have_count(0)

    assert screen.problems == []


@pytest.mark.parametrize("path", ["/nowhere", "/_sitemap", "/generation/7/more"])
def test_an_address_that_leads_nowhere_says_so_and_leads_home(phone: Phone, path: str) -> None:
    screen = phone.start().open(path)
    expect(screen.page.get_by_role("heading", name="There is nothing here")).to_be_visible()
    screen.page.get_by_role("button", name="To the gallery").click()
    expect(screen.prompt).to_be_editable()
    assert screen.problems == []


def test_a_waiting_card_costs_no_work_and_a_tap_draws_few_cards(phone: Phone, system: System) -> None:
    phone.context.add_init_script(COUNT_COMMITS)
    screen = phone.start().open()
    for number in range(4):
        screen.expect_picture(screen.ask(f"A picture of before {number}"))
    screen.expect_joined()
    with system.frozen("worker"):
        drawn = "() => { const { cards } = window.drawn; window.drawn.cards = 0; return cards; }"
        screen.prompt.fill("A picture that waits")
        screen.page.evaluate(drawn)
        screen.page.keyboard.press("Enter")
        expect(screen.page.get_by_text("In line")).to_be_visible()
        assert 1 <= screen.page.evaluate(drawn) <= 3
        screen.page.wait_for_timeout(1000)  # a balance may still be on its way
        before = screen.page.evaluate("() => window.drawn.commits")
        screen.page.wait_for_timeout(2000)
        assert screen.page.evaluate("() => window.drawn.commits") == before


def test_zoom_leaves_the_gallery_usable_and_nothing_beside_the_screen(phone: Phone) -> None:
    screen = phone.start()
    screen.page.set_viewport_size({"width": 320, "height": HIGH})
    screen.open()
    screen.expect_picture(screen.ask("A lighthouse at dusk"))
    screen.photograph("zoomed")
    assert screen.page.evaluate("() => document.documentElement.scrollWidth") == 320
    card, prompt = screen.cards.first.bounding_box(), screen.prompt.bounding_box()
    assert card is not None and prompt is not None
    assert prompt["y"] - max(0, card["y"]) > HIGH / 3


@pytest.mark.quick
def test_the_server_of_the_export_survives_an_export_that_is_not_there(tmp_path: Path) -> None:
    nowhere = cast("System", SimpleNamespace(url="http://supabase.invalid", publishable_key="none"))
    with served(nowhere, tmp_path) as site:
        for _ in range(2):  # the first answer may be its last
            assert requests.get(site + "/", timeout=10).status_code == 400
        (tmp_path / "index.html").write_text("here")
        assert requests.get(site + "/generation/7", headers={"Range": "bytes=1-"}, timeout=10).text == "here"
        assert requests.post(site + "/", timeout=10).status_code == 405


def test_the_server_of_the_export_survives_any_path_and_sends_little(site: str) -> None:
    for path in ("/%", "/%00", "//", "/..%2f..%2fpackage.json", "/%c0%ae", "/_expo/static/js/old.js"):
        status = requests.Request("GET", site).prepare()
        status.url = site + path
        answer = requests.Session().send(status, timeout=10)
        assert answer.status_code in (200, 400, 404) and "pilotlight-app" not in answer.text
    page = requests.get(site + "/generation/7", timeout=10)
    assert page.status_code == 200 and 'name="theme-color"' in page.text
    assert requests.get(site + "/old.js", timeout=10).status_code == 404
    manifest: dict[str, Any] = requests.get(site + "/manifest.json", timeout=10).json()
    assert all(requests.get(site + icon["src"], timeout=10).ok for icon in manifest["icons"])
    (script,) = [part.split('"')[0] for part in page.text.split('src="') if part.startswith("/_expo")]
    for encoding in ("br", "gzip"):
        head = requests.head(site + script, headers={"Accept-Encoding": encoding}, timeout=10).headers
        assert head["Content-Encoding"] == encoding


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(browser: Browser, site: str, scheme: str) -> None:
    with switched_on(browser, site, color_scheme=scheme) as phone:
        screen = phone.start().open()
        expect(screen.page.get_by_test_id("credits")).to_be_visible()
        expect_no_violation(screen, "empty")
        failed = screen.ask("A forbidden forest")
        made = screen.ask("A lighthouse at dusk")
        screen.expect_picture(made)
        expect(screen.card(failed)).to_contain_text("allowed. Change it")
        screen.page.get_by_role("button", name=": Model").click()
        expect_no_violation(screen, "gallery and models")
        screen.page.get_by_role("button", name="More: Options").click()
        expect_no_violation(screen, "options")
        choose(screen, "Preview text")
        text = screen.ask("An old harbour")
        expect(screen.card(text).get_by_role("link")).to_be_visible()
        choose(screen, "Preview video")
        screen.expect_picture(screen.ask("A lighthouse in the rain"))
        expect_no_violation(screen, "text and film")
        screen.page.get_by_role("link", name="Account").click()
        expect(screen.page.get_by_label("E-mail address")).to_be_visible()
        expect_no_violation(screen, "settings")
        for job_id in (failed, made):
            screen.open(f"/generation/{job_id}")
            expect(screen.page.get_by_role("button", name="Edit prompt")).to_be_visible()
            expect_no_violation(screen, "one picture")
        screen.page.get_by_role("button", name="More", exact=True).click()
        expect(screen.page.get_by_role("dialog", name="More")).to_be_visible()
        expect_no_violation(screen, "sheet")
        screen.page.get_by_role("button", name="Report").click()
        screen.page.get_by_role("radio", name="Something else").click()
        expect(screen.page.get_by_role("dialog", name="What is wrong")).to_be_visible()
        expect_no_violation(screen, "report")
        screen.open("/credits")
        expect(screen.page.get_by_test_id("balance")).to_be_visible()
        expect_no_violation(screen, "credits")
        screen.open("/nowhere")
        expect(screen.page.get_by_role("button", name="To the gallery")).to_be_visible()
        expect_no_violation(screen, "nowhere")


# An element that fades in has no contrast before, and a pulse never ends.
ALL_IS_SHOWN = """() => Promise.allSettled(document.getAnimations()
  .filter(({ effect }) => Number.isFinite(effect.getComputedTiming().endTime)).map(({ finished }) => finished))"""


def expect_no_violation(screen: Screen, where: str) -> None:
    screen.page.evaluate(ALL_IS_SHOWN)
    screen.page.evaluate(AXE.read_text())
    found = screen.page.evaluate("() => axe.run()")["violations"]
    said = [(item["id"], [node["html"][:200] for node in item["nodes"]]) for item in found]
    assert not said, f"{where}: {json.dumps(said, indent=1)}"
