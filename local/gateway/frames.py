"""The Phoenix frames of Supabase's clients: vsn 1.0.0 is a JSON object, 2.0.0 a JSON array.

A 1.0.0 client crashes on a binary frame, and a 2.0.0 client accepts text, so the gateway sends text
only.
"""

import json
from dataclasses import dataclass
from typing import Any

PUSH_BROADCAST = 3  # the only binary frame that a client sends


class UnreadableFrame(Exception):
    """The data is not a frame of this version."""


@dataclass(frozen=True, slots=True)
class Frame:
    topic: str
    event: str
    payload: dict[str, Any]
    ref: str | None = None
    join_ref: str | None = None

    def reply(self, status: str, response: dict[str, Any]) -> "Frame":
        return Frame(
            self.topic, "phx_reply", {"status": status, "response": response}, self.ref, self.join_ref
        )


def encode(frame: Frame, vsn: str) -> str:
    if vsn == "1.0.0":
        names = ("topic", "event", "payload", "ref", "join_ref")
        return json.dumps({name: getattr(frame, name) for name in names})
    return json.dumps([frame.join_ref, frame.ref, frame.topic, frame.event, frame.payload])


def decode(data: str | bytes, vsn: str) -> Frame:
    try:
        if isinstance(data, bytes):
            return decode_broadcast(data)
        message = json.loads(data)
        if vsn == "1.0.0":
            return checked(Frame(**{"ref": None, "join_ref": None} | message))
        join_ref, ref, topic, event, payload = message
        return checked(Frame(topic, event, payload, ref, join_ref))
    except (ValueError, TypeError, IndexError) as error:
        raise UnreadableFrame from error


def decode_broadcast(data: bytes) -> Frame:
    """Decode a binary broadcast; its payload is not needed here.

    The header has the kind, five lengths and the encoding. The strings of these lengths follow,
    then the payload.
    """
    if data[0] != PUSH_BROADCAST:
        raise UnreadableFrame
    texts: list[str] = []
    position = 7
    for length in data[1:5]:
        texts.append(data[position : position + length].decode())
        position += length
    join_ref, ref, topic, event = texts
    return Frame(topic, "broadcast", {"type": "broadcast", "event": event}, ref or None, join_ref or None)


def checked(frame: Frame) -> Frame:
    if isinstance(frame.topic, str) and isinstance(frame.event, str) and isinstance(frame.payload, dict):
        return frame
    raise UnreadableFrame
