"""With every server stalled, first screen and placeholder are drawn all the same.

Counted in frames, not in time.
"""

import re

import pytest
from playwright.sync_api import Route, expect

from tests.app.phone import Phone, Screen, Stall
from tests.app.system import System

THIRTY_SECONDS = 30_000

# A frame begins with its animation callbacks: a card that the first callback after the tap finds is
# painted in it.
COUNT_FRAMES = """() => {
  // Newest first. Cards are not counted: the wall draws only what is near the screen.
  const newest = () => document.querySelector('[data-testid^="card-"]')?.dataset.testid;
  const before = newest();
  const button = document.querySelector('[aria-label^="Generate"]');
  window.framesToCard = null;
  button.addEventListener('click', () => {
    let frames = 0;
    const look = () => {
      frames += 1;
      if (newest() !== before) window.framesToCard = frames;
      else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  }, { capture: true, once: true });
}"""


def frames_of_a_tap(screen: Screen, prompt: str) -> int:
    screen.prompt.fill(prompt)
    screen.page.evaluate(COUNT_FRAMES)
    screen.generate.click()
    screen.until(lambda: screen.page.evaluate("() => window.framesToCard") is not None, "a card")
    return int(screen.page.evaluate("() => window.framesToCard"))


@pytest.mark.parametrize("is_known", [False, True], ids=["a new phone", "a phone that was used"])
def test_every_server_stalls(phone: Phone, system: System, is_known: bool) -> None:
    before = []
    if is_known:
        screen = phone.start().open()
        before = [screen.ask("A picture of yesterday")]
        screen.expect_picture(before[0])
        screen.page.wait_for_timeout(500)  # the gallery is written a moment after its last change
        screen.page.close()
    stall = Stall()
    phone.context.route(f"{system.url}/**", stall)
    phone.context.route_web_socket(re.compile("/realtime/"), lambda socket: None)

    screen = phone.start().open()
    expect(screen.prompt).to_be_editable()
    assert screen.ids() == before
    frames = [frames_of_a_tap(screen, f"Picture {number}") for number in range(3)]
    print(f"frames from tap to placeholder: {frames}")
    assert max(frames) <= 2
    expect(screen.page.get_by_text("Sending")).to_have_count(3)
    screen.photograph(f"stalled-{'known' if is_known else 'new'}")

    asked = screen.ids()
    stall.release()
    for job_id in asked:
        screen.expect_picture(job_id)
    assert sorted(system.jobs_of(screen.user_id())) == sorted(asked)


def test_every_function_takes_thirty_seconds(phone: Phone, system: System) -> None:
    screen = phone.start()
    stall = Stall()
    screen.page.route(f"{system.url}/functions/**", stall)
    screen.open()
    expect(screen.prompt).to_be_editable()
    assert frames_of_a_tap(screen, "A cold start") <= 2
    (job_id,) = screen.ids()
    screen.page.wait_for_timeout(THIRTY_SECONDS)
    expect(screen.card(job_id)).to_contain_text("Sending")
    stall.release()
    screen.expect_picture(job_id)
    assert system.jobs_of(screen.user_id()) == [job_id]


def test_the_first_list_of_models_moves_nothing_under_a_finger(phone: Phone) -> None:
    """A button that moves between the press and the release of a finger is not tapped."""
    waiting: list[Route] = []
    phone.context.route("**/rest/v1/rpc/list_models", lambda route: waiting.append(route))
    screen = phone.start().open()
    screen.prompt.fill("A picture that is asked for in the first second")
    expect(screen.generate).to_be_enabled()
    screen.until(lambda: waiting, "the question for the models")
    before = screen.generate.bounding_box()
    for route in waiting:
        route.continue_()
    expect(screen.page.get_by_role("button", name="Generate, 1 credit")).to_be_enabled()
    assert screen.generate.bounding_box() == before
