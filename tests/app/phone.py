"""A phone: one browser context with a disk of its own, and the app on its screen."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Error, Locator, Page, Route, expect

from local.stack import ROOT

SCREENSHOTS = ROOT / ".pilotlight" / "app" / "screenshots"
LONGEST_WAIT_MS = 30_000  # a bound for what hangs, never a measure

IS_PAINTED = """card => [...card.querySelectorAll('img')].some(
  image => image.src.includes('/object/sign/') && image.complete && image.naturalWidth > 0)"""


class Screen:
    """One page of the app."""

    def __init__(self, page: Page, site: str) -> None:
        self.page = page
        self.site = site
        self.problems: list[str] = []
        page.set_default_timeout(LONGEST_WAIT_MS)
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        # what the Realtime websocket brought, by its protocol's arrays
        self.frames: list[list[Any]] = []
        page.on("websocket", lambda socket: socket.on("framereceived", self.note_frame))

    def open(self, path: str = "/") -> "Screen":
        self.page.goto(f"{self.site}{path}", wait_until="commit")
        return self

    @property
    def prompt(self) -> Locator:
        return self.page.get_by_role("textbox", name="Describe a picture")

    @property
    def generate(self) -> Locator:
        return self.page.get_by_role("button", name="Generate")

    @property
    def cards(self) -> Locator:
        return self.page.get_by_test_id(re.compile("^card-"))

    def card(self, job_id: str) -> Locator:
        return self.page.get_by_test_id(f"card-{job_id}")

    def ids(self) -> list[str]:
        return list(self.cards.evaluate_all("cards => cards.map(card => card.dataset.testid.slice(5))"))

    def ask(self, prompt: str) -> str:
        """Type, tap, and the id of the card that is then the first."""
        known = self.ids()
        self.prompt.fill(prompt)
        self.generate.click()
        # The newest is first. Cards are not counted: the wall draws only what is near the screen.
        self.until(lambda: self.ids()[:1] not in ([], known[:1]), "a new card")
        return self.ids()[0]

    def expect_picture(self, job_id: str, timeout: float = LONGEST_WAIT_MS) -> None:
        card = self.card(job_id)
        expect(card).to_have_count(1)
        try:
            self.until(lambda: bool(card.evaluate(IS_PAINTED)), f"the picture of {job_id}", timeout)
        except AssertionError as error:
            error.add_note(f"its card says {card.inner_text()!r}")
            raise

    def until(self, condition: Callable[[], Any], what: str, timeout: float = LONGEST_WAIT_MS) -> Any:
        """Poll for something true and return it; Playwright's handlers run during its pause."""
        for _ in range(int(timeout / 100)):
            if found := condition():
                return found
            self.page.wait_for_timeout(100)
        raise AssertionError(f"waited in vain for {what}")

    def session(self) -> dict[str, Any]:
        """The session of auth-js on the disk; empty before the first sign-in."""
        stored = self.page.evaluate(
            "() => Object.entries(localStorage).find(([key]) => key.endsWith('-auth-token'))?.[1] ?? '{}'"
        )
        session: dict[str, Any] = json.loads(stored)
        return session

    def user_id(self) -> str:
        # Read once: while one user takes another's place, there is none for a moment.
        user = self.until(lambda: self.session().get("user"), "a signed-in user")
        return str(user["id"])

    def note_frame(self, frame: str | bytes) -> None:
        if isinstance(frame, str):
            self.frames.append(json.loads(frame))

    def joins(self) -> int:
        """How often the user's channel was joined."""
        replies = [
            payload
            for _, _, topic, event, payload in self.frames
            if (event, topic[:14]) == ("phx_reply", "realtime:user:")
        ]
        return sum(reply["status"] == "ok" and "postgres_changes" in reply["response"] for reply in replies)

    def expect_joined(self, times: int = 1) -> None:
        """From here on silence is a fault and not a late start."""
        self.until(lambda: self.joins() >= times, f"join number {times}")

    def photograph(self, name: str) -> None:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png")


class Phone:
    def __init__(self, context: BrowserContext, site: str) -> None:
        self.context = context
        self.site = site

    def start(self) -> Screen:
        return Screen(self.context.new_page(), self.site)

    def on_disk(self, script: str, argument: object = None) -> Any:
        """Run a script beside the app. Close the app before, if it must not write there, too."""
        page = self.context.new_page()
        page.goto(f"{self.site}/favicon.ico")
        result = page.evaluate(script, argument)
        page.close()
        return result

    def change_session(self, session: dict[str, Any]) -> None:
        self.on_disk(
            """session => {
              const key = Object.keys(localStorage).find(key => key.endsWith('-auth-token'));
              localStorage.setItem(key, session);
            }""",
            json.dumps(session),
        )

    @contextmanager
    def offline(self) -> Iterator[None]:
        self.context.set_offline(True)
        try:
            yield
        finally:
            self.context.set_offline(False)


@contextmanager
def switched_on(browser: Browser, site: str, **options: Any) -> Iterator[Phone]:
    context = browser.new_context(viewport={"width": 390, "height": 844}, device_scale_factor=2, **options)
    yield Phone(context, site)
    context.close()


class Stall:
    """Servers that accept and do not answer, until they are released."""

    def __init__(self) -> None:
        self.held: list[Route] = []
        self.is_on = True

    def __call__(self, route: Route) -> None:
        if self.is_on:
            self.held.append(route)
        else:
            route.continue_()

    def release(self, *, again: bool = False) -> None:
        """Let through what was held; with `again`, later requests are held, too."""
        self.is_on = again
        for route in self.held:
            with suppress(Error):  # its page gave up or is gone
                route.continue_()
        self.held.clear()
