"""Faults of networks, servers, phones and fingers. Nothing is faked but the fault."""

import time

import pytest
from playwright.sync_api import Route, expect

from tests.app.phone import Phone, Screen, Stall
from tests.app.system import System
from tests.app.wire import REALTIME, Wire, statuses


def expect_charged_once(system: System, screen: Screen, *job_ids: str) -> None:
    assert sorted(system.jobs_of(screen.user_id())) == sorted(job_ids)


def test_realtime_never_joins(phone: Phone, system: System) -> None:
    phone.context.route_web_socket(REALTIME, lambda socket: None)
    screen = phone.start().open()
    job_id = screen.ask("A picture without a messenger")
    screen.expect_picture(job_id)
    expect_charged_once(system, screen, job_id)


def test_the_socket_is_cut_in_the_middle(phone: Phone, system: System) -> None:
    wire = Wire(phone)
    screen = phone.start().open()
    screen.until(lambda: wire.joins == 1, "the channel")
    with system.frozen("worker"):
        job_id = screen.ask("A cut wire")
        expect(screen.card(job_id)).to_contain_text("In line")
        wire.cut()
    screen.expect_picture(job_id)
    screen.until(lambda: wire.joins == 2, "the channel again")
    assert screen.problems == []


def test_the_server_is_restarted_in_the_middle(phone: Phone, system: System) -> None:
    screen = phone.start().open()
    screen.expect_joined()
    with system.frozen("worker"):
        job_id = screen.ask("A server that comes back")
        expect(screen.card(job_id)).to_contain_text("In line")
        for name in ("gateway", "enqueue_generation", "get_job_status"):
            system.kill(name)
        lost = screen.ask("Asked during the outage")
        screen.expect_joined(times=2)
    screen.expect_picture(job_id)
    screen.expect_picture(lost)
    expect_charged_once(system, screen, job_id, lost)


def test_offline_then_online(phone: Phone, system: System) -> None:
    screen = phone.start().open()
    screen.user_id()
    with phone.offline():
        job_id = screen.ask("A picture from a tunnel")
        expect(screen.card(job_id)).to_contain_text("Waiting for a connection")
        expect(screen.page.get_by_text("offline. Your requests are kept")).to_be_visible()
        screen.photograph("offline")
    screen.expect_picture(job_id)
    expect(screen.page.get_by_text("offline. Your requests are kept")).to_have_count(0)
    expect_charged_once(system, screen, job_id)


def test_the_first_start_is_offline(phone: Phone, system: System) -> None:
    screen = phone.start().open()
    screen.page.evaluate("() => localStorage.clear()")
    screen.page.route(f"{system.url}/**", lambda route: route.abort())
    screen.open()
    job_id = screen.ask("Asked before anybody was signed in")
    expect(screen.card(job_id)).to_contain_text("Sending")
    screen.page.unroute(f"{system.url}/**")
    screen.expect_picture(job_id)
    expect_charged_once(system, screen, job_id)


@pytest.mark.parametrize("has_arrived", [False, True], ids=["before it arrived", "after it arrived"])
def test_the_app_is_killed_between_tap_and_answer(phone: Phone, system: System, has_arrived: bool) -> None:
    screen = phone.start().open()
    user_id = screen.user_id()
    stall = Stall()
    screen.page.route("**/enqueue_generation", lambda route: route.fetch() if has_arrived else stall(route))
    phone.context.route_web_socket(REALTIME, lambda socket: None)
    with system.frozen("worker"):
        job_id = screen.ask("A picture that outlives the app")
        if has_arrived:
            screen.until(lambda: system.jobs_of(user_id) == [job_id], "the job")
        screen.page.close()
    again = phone.start().open()
    expect(again.card(job_id)).to_have_count(1)
    again.expect_picture(job_id)
    expect(again.cards).to_have_count(1)
    expect_charged_once(system, again, job_id)


def test_a_double_tap_is_one_request(phone: Phone, system: System) -> None:
    screen = phone.start().open()
    screen.prompt.fill("A nervous finger")
    screen.generate.dblclick()
    expect(screen.cards).to_have_count(1)
    (job_id,) = screen.ids()
    screen.expect_picture(job_id)
    expect(screen.cards).to_have_count(1)
    expect_charged_once(system, screen, job_id)


def test_the_network_repeats_the_request(phone: Phone, system: System) -> None:
    screen = phone.start().open()

    def twice(route: Route) -> None:
        route.fetch()
        route.continue_()

    screen.page.route("**/enqueue_generation", twice)
    job_id = screen.ask("Said twice")
    screen.expect_picture(job_id)
    expect_charged_once(system, screen, job_id)
    expect(screen.page.get_by_test_id("credits")).to_have_text("4 credits")


def test_messages_come_twice_in_any_order_and_late(phone: Phone, system: System) -> None:
    wire = Wire(phone, holds=True)
    screen = phone.start().open()
    screen.until(lambda: wire.joins == 1, "the channel")
    job_id = screen.ask("A picture told backwards")
    screen.until(lambda: "succeeded" in statuses(wire.jobs), "the end of the job")
    wire.play([*reversed(wire.jobs), *wire.jobs])
    screen.expect_picture(job_id)

    screen.page.evaluate(
        """id => {
          const card = document.querySelector(`[data-testid="card-${id}"]`);
          window.wentBack = [];
          new MutationObserver(() => card.textContent && window.wentBack.push(card.textContent))
            .observe(card, { childList: true, subtree: true, characterData: true });
        }""",
        job_id,
    )
    wire.play([*wire.jobs, *reversed(wire.jobs)])
    other = screen.ask("Something that shows the messages were read")
    screen.until(lambda: statuses(wire.jobs).count("succeeded") == 2, "the end of the other")
    wire.play(wire.jobs)
    screen.expect_picture(other)
    assert screen.page.evaluate("() => window.wentBack") == []

    screen.page.get_by_role("link", name="Open: A picture told backwards").click()
    screen.page.get_by_role("button", name="More").click()
    screen.page.get_by_role("button", name="Delete").click()
    expect(screen.card(job_id)).to_have_count(0)
    wire.play(wire.jobs)
    third = screen.ask("Something after the deletion")
    screen.until(lambda: statuses(wire.jobs).count("succeeded") == 3, "the end of the third")
    wire.play(wire.jobs)
    screen.expect_picture(third)
    expect(screen.card(job_id)).to_have_count(0)


def test_the_token_is_renewed_in_the_middle(phone: Phone, system: System) -> None:
    screen = phone.start().open()
    screen.expect_joined()
    user_id, old = screen.user_id(), screen.session()["access_token"]
    with system.frozen("worker"):
        job_id = screen.ask("A picture across two tokens")
        expect(screen.card(job_id)).to_contain_text("In line")
        # auth-js renews 90 seconds before.
        phone.change_session(screen.session() | {"expires_at": int(time.time()) + 10})
        other = screen.ask("Asked with the new token")
        screen.until(lambda: screen.session().get("access_token") not in (None, old), "a new token")
    screen.expect_picture(job_id)
    screen.expect_picture(other)
    assert screen.user_id() == user_id


def test_the_server_closes_the_channel_of_an_expired_token(phone: Phone, system: System) -> None:
    """The phone believes in a token that has a few seconds left, as one with a wrong clock does."""
    screen = phone.start().open()
    user_id = screen.user_id()
    screen.expect_joined()
    session = screen.session()
    screen.page.close()
    phone.change_session(session | {"access_token": system.token_of(session["access_token"], seconds=8)})

    screen = phone.start().open()
    screen.expect_joined()
    with system.frozen("worker"):
        job_id = screen.ask("A picture across a closed channel")
        expect(screen.card(job_id)).to_contain_text("In line")
        screen.until(
            lambda: any(event == "phx_close" for _, _, _, event, _ in screen.frames), "the end of the channel"
        )
    screen.expect_picture(job_id)
    screen.expect_joined(times=2)
    assert screen.user_id() == user_id


def start_anew(screen: Screen, asked: str) -> str:
    """The session is lost, and its user may be replaced: the request waits as a card, and its retry
    is sent.
    """
    expect(screen.page.get_by_text("You are signed out")).to_be_visible()
    screen.page.get_by_role("button", name="Start anew").click()
    screen.page.get_by_role("button", name="Start a new account").click()
    expect(screen.card(asked)).to_contain_text("Tap Retry to send it from this one.")
    screen.card(asked).get_by_role("button", name="Retry").click()
    expect(screen.card(asked)).to_have_count(0)
    return screen.ids()[0]


def test_a_tap_before_the_session_is_refused(phone: Phone, system: System) -> None:
    screen = phone.start().open()
    user_id = screen.user_id()
    session = screen.session()
    screen.page.close()
    phone.change_session(session | {"expires_at": int(time.time()) - 10})
    system.query("delete from auth.users where id = %s returning id", user_id)

    stall = Stall()
    phone.context.route(f"{system.url}/auth/v1/**", stall)
    screen = phone.start().open()
    asked = screen.ask("A picture for the next user")
    stall.release()
    job_id = start_anew(screen, asked)
    screen.expect_picture(job_id)
    assert screen.user_id() != user_id and job_id != asked
    expect_charged_once(system, screen, job_id)


@pytest.mark.parametrize(
    "status", [403, 429, 540], ids=["a proxy's page", "a rate limit", "a paused project"]
)
def test_a_session_that_cannot_be_renewed_now_is_kept(phone: Phone, system: System, status: int) -> None:
    screen = phone.start().open()
    user_id = screen.user_id()
    session = screen.session()
    screen.page.close()
    phone.change_session(session | {"expires_at": int(time.time()) - 10})
    refused: list[int] = []

    def refuse(route: Route) -> None:
        refused.append(status)
        route.fulfill(status=status, body="<html>", headers={"Access-Control-Allow-Origin": "*"})

    phone.context.route("**/auth/v1/token?*", refuse)
    screen = phone.start().open()
    job_id = screen.ask("A picture of the same user")
    screen.until(lambda: len(refused) > 1, "a second try")
    phone.context.unroute("**/auth/v1/token?*")
    screen.expect_picture(job_id)
    assert screen.user_id() == user_id


def test_the_account_is_deleted_while_its_token_is_good(phone: Phone, system: System) -> None:
    screen = phone.start().open()
    user_id = screen.user_id()
    system.query("delete from auth.users where id = %s returning id", user_id)
    job_id = start_anew(screen, screen.ask("A picture without an owner"))
    assert screen.user_id() != user_id
    screen.expect_picture(job_id)
    expect_charged_once(system, screen, job_id)


def test_two_tabs_show_the_same(phone: Phone, system: System) -> None:
    one = phone.start().open()
    one.user_id()
    other = phone.start().open()
    one.expect_joined()
    other.expect_joined()
    job_id = one.ask("A picture in two windows")
    one.expect_picture(job_id)
    other.expect_picture(job_id)
    second = other.ask("And back")
    other.expect_picture(second)
    one.expect_picture(second)
    expect_charged_once(system, one, job_id, second)


def test_a_dead_picture_url_is_replaced(phone: Phone) -> None:
    screen = phone.start().open()
    job_id = screen.ask("A picture whose address dies")
    screen.expect_picture(job_id)
    find = '() => Object.keys(localStorage).find(key => /thumb_token":"/.test(localStorage.getItem(key)))'
    screen.until(lambda: screen.page.evaluate(find), "the picture on the disk")
    screen.page.close()
    phone.on_disk(
        f"""() => {{
          const key = ({find})();
          localStorage.setItem(key, localStorage.getItem(key).replace(/(token":"[^"]+)/g, '$1dead'));
        }}"""
    )
    signed: list[str] = []

    def count(route: Route) -> None:
        signed.append(route.request.method)
        route.continue_()

    phone.context.route("**/object/sign/generations", count)
    phone.start().open().expect_picture(job_id)
    assert signed.count("POST") == 1
