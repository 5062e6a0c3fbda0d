"""The websocket between app and Realtime, with a hand on it: it can be silent, cut, and its
messages played again.
"""

import json
import re

from playwright.sync_api import Error, WebSocketRoute

from tests.app.phone import Phone

REALTIME = re.compile("/realtime/v1/websocket")


class Wire:
    """Passes everything on, and keeps the messages about jobs back while `holds` is true."""

    def __init__(self, phone: Phone, *, holds: bool = False) -> None:
        self.holds = holds
        self.jobs: list[str] = []
        self.joins = 0
        self.ends: list[tuple[WebSocketRoute, WebSocketRoute]] = []
        phone.context.route_web_socket(REALTIME, self.connect)

    def connect(self, app: WebSocketRoute) -> None:
        server = app.connect_to_server()
        self.ends.append((app, server))
        server.on_message(lambda message: self.pass_on(app, message))

    def pass_on(self, app: WebSocketRoute, message: str | bytes) -> None:
        _, _, topic, event, payload = json.loads(message)
        if event == "phx_reply" and topic.startswith("realtime:user:"):
            self.joins += payload["status"] == "ok"
        if event == "broadcast":
            self.jobs.append(str(message))
            if self.holds:
                return
        app.send(message)

    def play(self, messages: list[str]) -> None:
        for message in messages:
            self.ends[-1][0].send(message)

    def cut(self) -> None:
        for app, server in self.ends:
            for end in (app, server):
                try:
                    end.close()
                except Error:
                    continue  # it is closed already


def statuses(messages: list[str]) -> list[str]:
    return [json.loads(message)[4]["payload"]["status"] for message in messages]
