"""A photo to start from: made small, kept like a prompt, sent before the request that names it."""

import io
import re

from PIL import Image
from playwright.sync_api import Route, expect

from tests.app.phone import Phone, Screen
from tests.app.system import System

LONGEST_SIDE = 1536


def photo_of_a_phone() -> bytes:
    """Large, and with the place where it was taken."""
    image = Image.linear_gradient("L").resize((3000, 2000)).convert("RGB")
    exif = Image.Exif()
    exif[0x8825] = {1: "N", 2: (52.0, 30.0, 0.0)}
    file = io.BytesIO()
    image.save(file, "jpeg", exif=exif)
    return file.getvalue()


def pick(screen: Screen, content: bytes, name: str = "IMG_1.jpg", mime: str = "image/jpeg") -> None:
    with screen.page.expect_file_chooser() as chooser:
        screen.page.get_by_role("button", name="Start photo: Choose from the library").click()
    chooser.value.set_files({"name": name, "mimeType": mime, "buffer": content})


def expect_picked(screen: Screen) -> None:
    expect(screen.page.get_by_role("button", name="Remove: Start photo")).to_be_visible()


def test_a_photo_is_made_small_survives_a_kill_and_is_sent_once(phone: Phone, system: System) -> None:
    uploads: list[tuple[str, bytes]] = []
    screen = phone.start().open()
    user_id = screen.user_id()
    phone.context.route("**/storage/v1/object/inputs/**", lambda route: route.abort())
    pick(screen, photo_of_a_phone())
    expect_picked(screen)
    screen.photograph("photo-picked")
    job_id = screen.ask("The same in oil")
    expect(screen.card(job_id)).to_contain_text("Waiting for a connection")
    expect(screen.page.get_by_role("button", name="Remove: Start photo")).to_have_count(0)
    screen.page.close()
    assert system.jobs_of(user_id) == []

    def note(route: Route) -> None:
        uploads.append((route.request.url, route.request.post_data_buffer or b""))
        route.continue_()

    phone.context.unroute("**/storage/v1/object/inputs/**")
    phone.context.route("**/storage/v1/object/inputs/**", note)
    screen = phone.start().open()
    screen.expect_picture(job_id)
    (path,) = {url.split("/object/inputs/")[1] for url, _ in uploads}
    assert re.fullmatch(f"{user_id}/[0-9a-f-]{{36}}[.]jpg", path)
    stored = Image.open(io.BytesIO(uploads[-1][1]))
    assert (stored.format, max(stored.size)) == ("JPEG", LONGEST_SIDE)
    assert dict(stored.getexif()) == {}
    rows = system.query("select input ->> 'image', input_paths from public.generations where id = %s", job_id)
    assert rows == [(path, [path])]
    assert system.jobs_of(user_id) == [job_id]
    assert screen.problems == []


def test_a_photo_whose_upload_was_answered_into_the_void_counts_as_stored(
    phone: Phone, system: System
) -> None:
    lost: list[int] = []

    def lose_the_answer(route: Route) -> None:
        if lost or route.request.method != "POST":
            return route.continue_()
        lost.append(route.fetch().status)
        route.abort()

    phone.context.route("**/storage/v1/object/inputs/**", lose_the_answer)
    screen = phone.start().open()
    pick(screen, photo_of_a_phone())
    expect_picked(screen)
    job_id = screen.ask("Sent twice")
    screen.expect_picture(job_id)
    assert lost == [200]
    assert system.jobs_of(screen.user_id()) == [job_id]


def test_a_file_that_is_no_photo_is_named_and_a_photo_can_be_taken_back(phone: Phone) -> None:
    screen = phone.start().open()
    screen.user_id()
    pick(screen, b"not a picture")
    expect(screen.page.get_by_text("This photo could not be read.")).to_be_visible()
    pick(screen, photo_of_a_phone())
    expect_picked(screen)
    screen.page.get_by_role("button", name="Remove: Start photo").click()
    expect(screen.page.get_by_role("button", name="Remove: Start photo")).to_have_count(0)
    expect(screen.generate).to_be_disabled()


def test_the_other_choices_of_a_model_are_under_more(phone: Phone, system: System) -> None:
    screen = phone.start().open()
    screen.page.get_by_role("button", name="More: Options of the model").click()
    screen.page.get_by_role("button", name="+: More: Pictures").click()
    screen.photograph("more")
    job_id = screen.ask("Two hills")
    screen.expect_picture(job_id)
    expect(screen.card(job_id)).to_contain_text("1 of 2")
    rows = system.query("select input ->> 'num_outputs' from public.generations where id = %s", job_id)
    assert rows == [("2",)]
    screen.photograph("two-outputs")
