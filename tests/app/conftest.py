"""A real system, the real web export of the app and a real Chromium, each once for the tests of
this package.

Not for the whole session: while Playwright runs, its event loop counts as running on the main
thread, and any `asyncio.run` of a later test would be refused.
"""

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.app import site as sites
from tests.app import system as systems
from tests.app.chromium import LACK, OPTIONS, executable
from tests.app.phone import LONGEST_WAIT_MS, Phone, switched_on
from tests.app.system import System


@pytest.fixture(scope="session")
def chromium() -> str:
    if path := executable():
        return path
    if os.environ.get("CI"):
        pytest.fail(LACK)
    pytest.skip(LACK)


@pytest.fixture(scope="package")
def browser(chromium: str) -> Iterator[Browser]:
    expect.set_options(timeout=LONGEST_WAIT_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=OPTIONS)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def system(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with systems.running(tmp_path_factory.mktemp("app")) as system:
        yield system


@pytest.fixture(scope="package")
def site(system: System) -> Iterator[str]:
    sites.make()
    with sites.served(system) as url:
        yield url


@pytest.fixture
def phone(browser: Browser, site: str) -> Iterator[Phone]:
    with switched_on(browser, site) as phone:
        yield phone


@pytest.fixture
def other_phone(browser: Browser, site: str) -> Iterator[Phone]:
    with switched_on(browser, site) as phone:
        yield phone
