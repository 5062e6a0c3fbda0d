"""Outputs other than one picture: films, texts, several pictures; and their downloads."""

import re

from playwright.sync_api import Request, expect

from tests.app.phone import Phone, Screen
from tests.app.system import System


def choose(screen: Screen, title: str) -> None:
    screen.page.get_by_role("button", name=": Model").click()
    screen.page.get_by_role("radio", name=re.compile(rf"^{title}\s*[0-9]")).click()


def test_a_film_has_a_poster_on_the_wall_and_plays_when_pressed(phone: Phone, system: System) -> None:
    files: list[str] = []

    def note(request: Request) -> None:
        if "/object/sign/generations/" in request.url:
            files.append(request.url.split("?")[0].rsplit(".", 1)[-1])

    screen = phone.start()
    screen.page.on("request", note)
    screen.open()
    choose(screen, "Preview video")
    job_id = screen.ask("A lighthouse in the rain")
    screen.expect_picture(job_id)
    expect(screen.card(job_id)).to_contain_text("Film 0:0")
    assert set(files) == {"webp"}, "the wall loads small pictures only"
    screen.page.wait_for_timeout(400)  # the picture fades in
    screen.photograph("film-wall")

    screen.page.get_by_role("link", name="Open: A lighthouse").click()
    expect(screen.page.locator("video")).to_have_count(0)
    screen.page.wait_for_timeout(400)
    screen.photograph("film-poster")
    screen.page.get_by_role("button", name="Play").click()
    video = screen.page.locator("video")
    screen.until(lambda: video.evaluate("video => video.currentTime > 0"), "the film")
    expect(screen.page.get_by_role("button", name="Play")).to_have_count(0)
    box = video.bounding_box()
    assert box is not None and box["width"] == 390, "it fills the screen, whatever its own size"
    screen.photograph("film-playing")
    assert screen.problems == []


def test_a_text_is_read_on_the_wall_and_on_its_screen(phone: Phone) -> None:
    screen = phone.start().open()
    choose(screen, "Preview text")
    job_id = screen.ask("An old harbour")
    card = screen.card(job_id)
    expect(card.get_by_role("link", name="Open: An old harbour")).to_be_visible()
    expect(card).not_to_contain_text("cannot show")
    screen.photograph("text-wall")
    first = card.inner_text().splitlines()[0]
    card.get_by_role("link").click()
    expect(screen.page.get_by_role("heading", name=first)).to_be_visible()
    expect(screen.page.get_by_text(first).nth(1)).to_be_visible()
    screen.photograph("text-detail")
    assert screen.problems == []
