"""`python -m tests.app.measure`: how fast the app is, against a real system. Prints figures and judges nothing.

The first screen: from navigation to a prompt that can be typed into, with every server stalled and with none at all.
The picture: from the end of a job in the database to its message in the page, and to its picture on the screen.
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

from playwright.sync_api import Browser, BrowserContext, sync_playwright

from tests.app import site as sites
from tests.app import system as systems
from tests.app.conftest import OPTIONS
from tests.app.phone import Phone, Screen, Stall, switched_on
from tests.app.system import System
from tests.app.wire import REALTIME

STARTS, PICTURES = 15, 60

FIRST_SCREEN = """
new MutationObserver((_, observer) => {
  const prompt = document.querySelector('textarea');
  if (!prompt || prompt.disabled) return;
  observer.disconnect();
  // After the frame that shows it.
  requestAnimationFrame(() => setTimeout(() => { window.firstScreen = performance.now(); }));
}).observe(document, { childList: true, subtree: true });
"""

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
    chromium = shutil.which("chromium")
    if chromium is None:
        raise SystemExit("This needs Chromium: apt-get install chromium")
    with tempfile.TemporaryDirectory() as folder, systems.running(reachable(folder)) as system:
        sites.make()
        with sites.served(system) as site, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=OPTIONS)
            bundle_size()
            first_screens(browser, site, system)
            pictures(browser, site, system)
            browser.close()


def reachable(folder: str) -> Path:
    """Postgres does not run as root, and must be able to enter this folder as another user."""
    path = Path(folder)
    path.chmod(0o755)
    return path


def bundle_size() -> None:
    for script in sites.EXPORT.rglob("entry-*.js"):
        content = script.read_bytes()
        say(f"JavaScript: {len(content) / 1e6:.2f} MB, gzip {len(gzip.compress(content)) / 1e3:.0f} KB")


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


def first_screen(phone: Phone) -> float:
    screen = phone.start()
    screen.page.add_init_script(FIRST_SCREEN)
    screen.open()
    screen.until(lambda: bool(screen.page.evaluate("() => window.firstScreen > 0")), "the first screen")
    return float(screen.page.evaluate("() => window.firstScreen"))


def pictures(browser: Browser, site: str, system: System) -> None:
    messages, shown = [], []
    with switched_on(browser, site) as phone:
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


def p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20, method="inclusive")[-1]


def figures(values: list[float]) -> str:
    return f"median {statistics.median(values):.0f} ms, p95 {p95(values):.0f} ms, n {len(values)}"


def say(line: str) -> None:
    sys.stdout.write(re.sub(r"\s+", " ", line) + "\n")


if __name__ == "__main__":
    main()
