"""`python -m tests.app.measure`: how fast the app is, against a real system.

Prints figures and judges nothing.

The first screen: from navigation to a prompt that can be typed into, with every server stalled and
with none at all; of a user with 60 cards, also to the first card, beside the least Expo app there
is. The picture: from the end of a job in the database to its message in the page, and to its
picture on the screen. Drawing: React's commits while cards wait, and the cards of one tap.
"""

import gzip
import re
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Response, sync_playwright

from tests.app import blank
from tests.app import site as sites
from tests.app import system as systems
from tests.app.chromium import OPTIONS
from tests.app.commits import COUNT_COMMITS
from tests.app.phone import Phone, Screen, Stall, switched_on
from tests.app.system import System
from tests.app.test_nothing_waits import frames_of_a_tap
from tests.app.wire import REALTIME

STARTS, PICTURES = 15, 60

FIRST_SCREEN = """
new MutationObserver((_, observer) => {
  const parts = [%s].map(selector => document.querySelector(selector));
  if (parts.some(part => !part || part.disabled)) return;
  observer.disconnect();
  // After the frame that shows it.
  requestAnimationFrame(() => setTimeout(() => { window.firstScreen = performance.now(); }));
}).observe(document, { childList: true, subtree: true });
"""
PROMPT, CARD, BLANK = "'textarea'", "'[data-testid^=\"card-\"]'", "'[data-testid=\"blank\"]'"

MOMENTS = """
window.moments = {};
const note = (id, what) => { (window.moments[id] ??= {})[what] ??= Date.now(); };
const Socket = window.WebSocket;
window.WebSocket = class extends Socket {
  constructor(...args) {
    super(...args);
    this.addEventListener('message', ({ data }) => {
      const payload = JSON.parse(data)[4];
      if (payload?.event === 'job' && payload.payload.status === 'succeeded') note(payload.payload.id, 'message');
    });
  }
};
document.addEventListener('load', ({ target }) => {
  const [, id] = /\\/object\\/sign\\/generations\\/[^/]+\\/([^/]+)\\//.exec(target.src ?? '') ?? [];
  if (id) requestAnimationFrame(() => setTimeout(() => note(id, 'picture')));
}, true);
"""


def main() -> None:
    # The whole browser, as users have it: the headless shell opens a page in less time.
    chromium = shutil.which("chromium")
    if chromium is None:
        raise SystemExit("This needs Chromium: apt-get install chromium")
    with tempfile.TemporaryDirectory() as folder, systems.running(reachable(folder)) as system:
        sites.make()
        with sites.served(system) as site, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=OPTIONS)
            blank.make()
            bundle_sizes()
            first_screens(browser, site, system)
            frames(browser, site, system)
            with sites.served(system, blank.EXPORT) as blank_site, switched_on(browser, site) as phone:
                pictures(phone, system)
                known_user(phone, browser, blank_site)
                launch(phone, browser)
                drawing(phone, system)
            browser.close()


def reachable(folder: str) -> Path:
    """Postgres does not run as root, and must be able to enter this folder as another user."""
    path = Path(folder)
    path.chmod(0o755)
    return path


def bundle_sizes() -> None:
    sizes = {}
    for name, export in {"ours": sites.EXPORT, "blank": blank.EXPORT}.items():
        contents = [script.read_bytes() for script in export.rglob("*.js")]
        plain, small = sum(map(len, contents)), sum(len(gzip.compress(content)) for content in contents)
        sizes[name] = plain, small
        say(f"JavaScript, {name}: {plain / 1e6:.2f} MB, gzip {small / 1e3:.0f} KB")
    ratios = [one / other for one, other in zip(sizes["ours"], sizes["blank"], strict=True)]
    say(f"JavaScript, ours to blank: {ratios[0]:.2f}, gzip {ratios[1]:.2f}")


def first_screens(browser: Browser, site: str, system: System) -> None:
    def stalled(context: BrowserContext) -> None:
        context.route(f"{system.url}/**", stall)
        context.route_web_socket(REALTIME, lambda socket: None)

    def absent(context: BrowserContext) -> None:
        context.route(f"{system.url}/**", lambda route: route.abort())
        context.route_web_socket(REALTIME, lambda socket: socket.close())

    stall = Stall()
    kinds: dict[str, Callable[[BrowserContext], None]] = {
        "stalled": stalled,
        "absent": absent,
        "present": lambda _: None,
    }
    times: dict[str, list[float]] = {name: [] for name in kinds}
    for _ in range(STARTS):
        for name, hurt in kinds.items():
            with switched_on(browser, site) as phone:
                hurt(phone.context)
                times[name].append(first_screen(phone))
                stall.release(again=True)
    for name, taken in times.items():
        say(f"first screen, servers {name}: {figures(taken)}")
    ratio = statistics.median(times["stalled"]) / statistics.median(times["absent"])
    say(f"first screen, stalled to absent: {ratio:.2f}")


def first_screen(phone: Phone, parts: str = PROMPT) -> float:
    screen = phone.start()
    screen.page.add_init_script(FIRST_SCREEN % parts)
    screen.open()
    screen.until(lambda: bool(screen.page.evaluate("() => window.firstScreen > 0")), "the first screen")
    taken = float(screen.page.evaluate("() => window.firstScreen"))
    screen.page.close()
    return taken


def frames(browser: Browser, site: str, system: System) -> None:
    """From a tap to its placeholder, with every server stalled."""
    with switched_on(browser, site) as phone:
        phone.context.route(f"{system.url}/**", Stall())
        phone.context.route_web_socket(REALTIME, lambda socket: None)
        screen = phone.start().open()
        counts = [frames_of_a_tap(screen, f"Picture {number}") for number in range(20)]
    say(f"frames from tap to placeholder, servers stalled: at most {max(counts)}, n {len(counts)}")


def pictures(phone: Phone, system: System) -> None:
    """Leaves a user with 60 cards on this phone."""
    messages, shown = [], []
    screen = phone.start()
    screen.page.add_init_script(MOMENTS)
    screen.open()
    user_id = screen.user_id()
    system.query("select public.grant_credits(%s, 1000, 'for measuring', %s)", user_id, user_id)
    screen.expect_joined()
    for number in range(PICTURES):
        job_id = screen.ask(f"Picture {number}")
        screen.expect_picture(job_id)
        ended, message, picture = moments(screen, system, job_id)
        messages.append(message - ended)
        shown.append(picture - ended)
    screen.page.wait_for_timeout(500)  # the gallery is written a moment after its last change
    screen.page.close()
    say(f"end of a job to its message: {figures(messages)}")
    say(f"end of a job to its picture: {figures(shown)}")
    say(f"picture to message, p95: {p95(shown) / p95(messages):.2f}")


def moments(screen: Screen, system: System, job_id: str) -> tuple[float, float, float]:
    """Milliseconds on this machine's clock, which database and browser share."""
    find = "() => window.moments"
    screen.until(lambda: "picture" in screen.page.evaluate(find).get(job_id, {}), "the picture's moment")
    noted: dict[str, Any] = screen.page.evaluate(find)[job_id]
    ((ended,),) = system.query(
        "select extract(epoch from finished_at)::double precision * 1000 from public.jobs where id = %s",
        job_id,
    )
    return float(ended), float(noted["message"]), float(noted["picture"])


def known_user(phone: Phone, browser: Browser, blank_site: str) -> None:
    """Each start in a fresh browser, with the disk of the phone."""
    disk = phone.context.storage_state()
    ours, others = [], []
    for _ in range(STARTS):
        with switched_on(browser, phone.site, storage_state=disk) as known:
            ours.append(first_screen(known, f"{PROMPT}, {CARD}"))
        with switched_on(browser, blank_site) as empty:
            others.append(first_screen(empty, BLANK))
    say(f"first screen with cards, a user with {PICTURES}: {figures(ours)}")
    say(f"first screen of the blank app: {figures(others)}")
    say(f"first screen, ours to blank: {statistics.median(ours) / statistics.median(others):.2f}")


def launch(phone: Phone, browser: Browser) -> None:
    """Count the requests of a start without pictures in the browser's cache."""
    with switched_on(browser, phone.site, storage_state=phone.context.storage_state()) as known:
        sizes: dict[str, int] = {}

        def note(response: Response) -> None:
            if "/object/sign/generations/" in response.url:
                sizes[response.url] = len(response.body())

        screen = known.start()
        screen.page.on("response", note)
        screen.open()
        screen.expect_joined()
        screen.page.wait_for_timeout(3000)
        say(f"pictures loaded at launch: {len(sizes)}, {sum(sizes.values()) / 1e3:.0f} kB")


def drawing(phone: Phone, system: System) -> None:
    phone.context.add_init_script(COUNT_COMMITS)
    screen = phone.start().open()
    screen.expect_joined()
    screen.expect_picture(screen.ids()[0])
    with system.frozen("worker"):
        before = screen.page.evaluate("() => window.drawn.cards")
        screen.ask("A card that waits")
        cards = screen.page.evaluate("() => window.drawn.cards") - before
        screen.ask("Another")
        screen.page.wait_for_timeout(2000)
        commits = screen.page.evaluate("() => window.drawn.commits")
        screen.page.wait_for_timeout(5000)
        rate = (screen.page.evaluate("() => window.drawn.commits") - commits) / 5
    say(f"cards drawn by a tap: {cards}; commits a second while two cards wait: {rate:.1f}")


def p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20, method="inclusive")[-1]


def figures(values: list[float]) -> str:
    return f"median {statistics.median(values):.0f} ms, p95 {p95(values):.0f} ms, n {len(values)}"


def say(line: str) -> None:
    sys.stdout.write(re.sub(r"\s+", " ", line) + "\n")


if __name__ == "__main__":
    main()
