"""The features of the gateway in local/README.md are those in the tables of the code."""

import re
from collections.abc import Collection

import pytest

from local.gateway import auth, codes, functions, realtime, rest, rest_query, storage, uploads
from local.gateway.calls import Call
from local.stack import ROOT

README = (ROOT / "local" / "README.md").read_text()
NAME = re.compile(r"`([^`]+)`")
SERVICES = {"/auth/v1": auth.routes, "/rest/v1": rest.routes, "/storage/v1": storage.routes}
CALLS = {
    f"{method} {prefix}{call.path.replace(':path', '')}": call
    for prefix, routes in SERVICES.items()
    for call in routes
    if isinstance(call, Call)
    for method in call.methods or ()
}
ROWS = dict(re.findall(r"^\| `([A-Z]+ /[^`]+)` \|(.*)\|$", README, re.MULTILINE))


def names_in_query(call: Call) -> set[str]:
    if call.query is None:
        return set(rest_query.READ if call.methods == {"GET"} else rest_query.DELETE)
    return {*call.query, *(value for values in call.query.values() for value in values)}


def names_in_body(call: Call) -> set[str]:
    return set(
        uploads.FORM_FIELDS
        if call.path.startswith("/object/{bucket}/{name") and is_post(call)
        else call.fields or ()
    )


def is_post(call: Call) -> bool:
    return call.methods == {"POST"}


def test_every_call_and_no_other_is_listed() -> None:
    assert len(CALLS) == 20
    assert ROWS.keys() == CALLS.keys()


@pytest.mark.parametrize("name", CALLS)
def test_a_call_is_listed_with_what_it_reads(name: str) -> None:
    query, body = ROWS[name].split("|")
    assert set(NAME.findall(query)) == names_in_query(CALLS[name])
    assert set(NAME.findall(body)) == names_in_body(CALLS[name])


@pytest.mark.parametrize(
    ("title", "known"),
    [
        ("Types", codes.PURPOSES),
        ("Filters", rest_query.OPERATORS),
        ("Order", rest_query.DIRECTIONS),
        ("Accept", rest.ACCEPTED),
        ("Prefer", rest.PREFERRED["DELETE"]),
        ("Connection", realtime.QUERY),
        ("Versions", realtime.VERSIONS),
        ("Join", realtime.JOIN_FIELDS),
        ("Channel options", realtime.CHANNEL_OPTIONS),
        ("Broadcast options", realtime.BROADCAST_OPTIONS),
        ("Methods", functions.METHODS),
    ],
)
def test_a_list_holds_what_the_code_knows(title: str, known: Collection[str]) -> None:
    (line,) = re.findall(rf"^- {title}: (.*)$", README, re.MULTILINE)
    assert set(NAME.findall(line)) == set(known)
