"""Bodies and ids that no honest app would send."""

import json
import random
import re
import uuid
from collections.abc import Iterator
from typing import Any

ODD: list[Any] = [
    None, True, False, 0, -1, 1.5, 10**30, "", " ", "null", "a" * 5000, [], [[]], {}, {"a": 1}, ["preview"],
    {"$ne": None}, {"toString": 1}, {"__proto__": {"a": 1}}, "\u202e", "\ufeff", "é", "💡", "a\nb", "a\tb", "%00", "{}",
]  # fmt: skip

INJECTIONS = [
    "'", "''", "' or '1'='1", "'; drop table public.jobs; --", '"; select 1; --', "$$; select 1; $$", "(select 1)",
    "1; select pg_sleep(9)", "*", "eq.1", "neq.0", "not.is.null", "in.(1,2)", "like.*", "or=(id.eq.1,id.neq.1)",
    "and(a.eq.b)", "select=*", "id::text", "$1", "%s", "%(a)s", "{0}", "${7*7}", "{{7*7}}", "`id`", "$(id)", "|id",
    "&id", "../../etc/passwd", "..%2f", "\\u0000", "\\", "\\'", "/*", "*/", "--", "#", ";", "\x1b[2J", "a,b",
    "\r\nX-Injected: 1", "<script>alert(1)</script>", "00000000-0000-0000-0000-00000000000g",
    "00000000000000000000000000000000", "{00000000-0000-0000-0000-000000000000}",
    "urn:uuid:00000000-0000-0000-0000-000000000000", "00000000-0000-0000-0000-0000000000000",
]  # fmt: skip

CONTENT_TYPES = [
    "", "text/plain", "text/html", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "json",
    "application/xml", "application/jsonp", "application/json-patch+json", "application/problem+json", "*/*",
    "application/octet-stream", "text/json", "xapplication/json", "application/vnd.pgrst.object+json",
]  # fmt: skip

NOT_NUMBERS = [
    "1e400",
    "-1e400",
    "1e99999",
    "NaN",
    "Infinity",
    "-Infinity",
    "01",
    "1.",
    ".5",
    "+1",
    "0x10",
    "1_0",
    "--1",
]
NUMBERS = [
    "0",
    "-0",
    "1e308",
    "5e-324",
    "1e-400",
    "123456789012345678901234567890",
    "0.1",
    "1E+2",
    "9007199254740993",
]

NOT_UTF8 = [
    b"\xff",
    b"\xfe\xff",
    b"\xc0\xaf",
    b"\xe0\x80\xaf",
    b"\xed\xa0\x80",
    b"\xf5\x80\x80\x80",
    b"\xe2\x82",
    b"\x80",
]
NOT_TEXT = ["\\u0000", "a\\u0000b", "\\ud800", "\\udc00", "\\udfff\\ud800", "a\\ud83d"]
ODD_TEXT = [
    "\\u202e",
    "\\ufeff",
    "\\uffff",
    "\\ud83d\\ude00",
    "\\u0301" * 50,
    "\\u0001",
    "\\u007f",
    "\\/\\b\\f",
    "\u2028",
    "💡",
]


def request(**changes: Any) -> dict[str, Any]:
    """A valid request with these changes; `...` removes a field."""
    good = {"id": str(uuid.uuid4()), "model": "preview", "input": {"prompt": "a fox"}, **changes}
    return {name: value for name, value in good.items() if value is not ...}


def with_input(text: str) -> bytes:
    """A request whose input is this JSON text."""
    return json.dumps(request(input="INPUT")).replace('"INPUT"', text).encode()


def malformed() -> Iterator[tuple[str, bytes]]:
    """Kind and body of requests that must be refused."""
    for value in ODD:
        yield "wrong type or value", json.dumps(request(id=value)).encode()
        if not isinstance(value, dict):
            yield "wrong type or value", json.dumps(request(input=value)).encode()
        if not (isinstance(value, str) and re.fullmatch(r"[\w.:/-]{1,100}", value, re.ASCII)):
            yield "wrong type or value", json.dumps(request(model=value)).encode()
        yield "wrong type or value", json.dumps(value).encode()
        yield "wrong type or value", json.dumps([request(), value]).encode()
    for name in ("id", "model", "input"):
        yield "missing field", json.dumps(request(**{name: ...})).encode()
        yield "unknown field", json.dumps({**request(), name.upper(): 1}).encode()
    for name in ("", "user_id", "p_id", "cost", "credits", "status", "__proto__", "constructor", "toJSON"):
        yield "unknown field", json.dumps({**request(), name: 1}).encode()
    for text in INJECTIONS:
        yield "SQL or operators", json.dumps(request(id=text)).encode()
        yield "SQL or operators", json.dumps(request(id=str(uuid.uuid4()) + text)).encode()
    whole = json.dumps(request()).encode()
    for length in range(len(whole)):
        yield "broken JSON", whole[:length]
        yield "broken JSON", whole[:length] + b"\0" + whole[length:]
    for text in (
        *NOT_NUMBERS,
        "'a'",
        "undefined",
        "{a:1}",
        '{"a":1,}',
        "[1,]",
        "//",
        "/**/1",
        "True",
        "nul",
        '"\t"',
        '"\\x41"',
    ):
        yield "broken JSON", with_input(f'{{"a": {text}}}')
    yield from deep()
    for junk in NOT_UTF8:
        yield "bad UTF-8", with_input('{"a": "JUNK"}').replace(b"JUNK", junk)
        yield "bad UTF-8", with_input('{"JUNK": 1}').replace(b"JUNK", junk)
    for encoding in ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-7"):
        yield "bad UTF-8", ("+AAA-" if encoding == "utf-7" else whole.decode()).encode(encoding)
    for text in NOT_TEXT:
        yield "NUL or lone surrogate", with_input(f'{{"a": "{text}"}}')
        yield "NUL or lone surrogate", with_input(f'{{"{text}": 1}}')
        yield "NUL or lone surrogate", with_input(f'{{"a": [{{"b": ["{text}"]}}]}}')


def deep() -> Iterator[tuple[str, bytes]]:
    for levels in (32, 33, 100, 1_000, 5_000, 8_000):
        yield "deep JSON", with_input(f'{{"a": {"[" * levels}{"]" * levels}}}')
        yield "deep JSON", with_input('{"a": ' * levels + "{}" + "}" * levels)
        yield "deep JSON", b"[" * levels + b"]" * levels
        yield "deep JSON", b'{"id":' * levels
        yield "deep JSON", b"[" * 6 * levels


def too_large() -> Iterator[tuple[str, bytes]]:
    """Kind and body of requests that are too large for the gate or for the database behind it."""
    for size in (65_537, 100_000, 1_000_000, 20_000_000):
        yield "huge body", b" " * size
        yield "huge body", json.dumps(request(input={"prompt": "x" * size})).encode()
    for size in (17_000, 40_000, 65_000):
        yield "huge input", json.dumps(request(input={"prompt": "x" * size})).encode()
        yield "huge input", json.dumps(request(input={"prompt": ["x"] * (size // 4)})).encode()


def odd_for_the_model() -> Iterator[tuple[str, bytes]]:
    """Kind and body of requests that pass the gate; the database checks them against the model."""
    for text in ODD_TEXT:
        yield "odd text", with_input(f'{{"a": "{text}", "{text}": 1}}')
    for number in NUMBERS:
        yield "odd number", with_input(f'{{"a": {number}}}')
    yield "deep JSON", with_input(f'{{"a": {"[" * 31}{"]" * 31}}}')
    yield "empty input", with_input("{}")
    for key in ("__proto__", "constructor", "toJSON", "", " ", "p_input", "a" * 5000):
        yield "odd key", json.dumps(request(input={key: {"a": 1}})).encode()


def odd_but_good() -> Iterator[tuple[str, bytes]]:
    """Kind and body of unusual but valid requests, which must be accepted."""
    for text in ODD_TEXT:
        yield "odd text", with_input(f'{{"prompt": "a {text}"}}')
    for value in ("null", '"x"', "{}", "[]", f'"{uuid.uuid4()}"'):
        yield "duplicate keys", b'{"id": %s, ' % value.encode() + json.dumps(request()).encode()[1:]
        yield (
            "duplicate keys",
            b'{"model": %s, "input": 1, ' % value.encode() + json.dumps(request()).encode()[1:],
        )
        yield "duplicate keys", with_input(f'{{"prompt": {value}, "prompt": 1, "prompt": "a"}}')


def mutated(choose: random.Random, count: int) -> Iterator[bytes]:
    """Valid requests with a few bytes changed, dropped or doubled; some remain valid."""
    for _ in range(count):
        body = bytearray(json.dumps(request(input={"prompt": "a fox", "n": [1, {"x": None}]})).encode())
        for _ in range(choose.randint(1, 4)):
            place = choose.randrange(len(body))
            body[place : place + choose.randint(0, 2)] = choose.randbytes(choose.randint(0, 2))
        yield bytes(body)


def ids() -> Iterator[tuple[str, str]]:
    """Kind and value of the query parameter `ids` in requests that must be refused."""
    good = str(uuid.uuid4())
    for text in INJECTIONS:
        for value in (text, f"{good},{text}", f"{text},{good}", f"{good}{text}"):
            yield "SQL or operators", value
    for value in (
        "",
        ",",
        f"{good},",
        f",{good}",
        f"{good},,{good}",
        f"{good} ,{good}",
        f"{good};{good}",
        "null",
        "[]",
    ):
        yield "wrong type or value", value
    for count in (51, 100, 1_000):
        yield "too many ids", ",".join([good] * count)
    choose = random.Random(3)
    for _ in range(1000):
        broken = list(good)
        broken[choose.randrange(len(broken))] = choose.choice("g-zG/;'\"%_ .\0\n\x7fé💡")
        if "".join(broken) != good:
            yield "mutated id", "".join(broken)
