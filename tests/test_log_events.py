"""Every event of our code stands in the table of docs/operations.md, and every event of the table
in our code.
"""

import ast
import fnmatch
import re
from collections.abc import Iterator
from pathlib import Path

from tests.support.processes import ROOT

LEVELS = {"debug", "info", "warning", "error", "exception", "critical", "log"}
EVENT = re.compile(r"[a-z_]+\.[a-z_]+")


def events_of(path: Path) -> Iterator[str]:
    tree = ast.parse(path.read_text())
    constants = {
        node.targets[0].id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            for named in names_of_events(node):
                yield from texts(constants.get(named.id, named) if isinstance(named, ast.Name) else named)


def names_of_events(call: ast.Call) -> list[ast.expr]:
    """The name of the event in a call of the log, or of a function that logs for its caller."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if name in LEVELS:
        return call.args[:2]
    given = [keyword.value for keyword in call.keywords if keyword.arg == "failure"]
    is_attempt = name == "attempt" or any(getattr(arg, "attr", "") == "attempt" for arg in call.args[:1])
    return given or (call.args[1:3] if is_attempt else [])


def texts(node: ast.expr) -> Iterator[str]:
    """The events; one whose beginning is computed is given as `*.away`."""
    if isinstance(node, ast.JoinedStr):
        yield "*" + "".join(str(part.value) for part in node.values if isinstance(part, ast.Constant))
        return
    for part in ast.walk(node):
        if isinstance(part, ast.Constant) and isinstance(part.value, str) and EVENT.fullmatch(part.value):
            yield part.value


def test_the_table_of_events_is_that_of_the_code() -> None:
    files = [ROOT / "logs.py", *(ROOT / "bridge").rglob("*.py"), *(ROOT / "tasks").rglob("*.py")]
    in_code = {event for path in files for event in events_of(path)}
    section = (ROOT / "docs" / "operations.md").read_text().split("## Logs\n")[1].split("\n## ")[0]
    first_cells = re.findall(r"^\| (`[^|]*`) \|", section, re.MULTILINE)
    in_table = {event for cell in first_cells for event in re.findall(r"`([a-z_.]+)`", cell)}
    assert {"jobs.dispatched", "objects.not_removed", "database.refused", "leases.not_renewed"} <= in_code
    computed = {event for event in in_code if event.startswith("*")}
    matching = {event: set(fnmatch.filter(in_table, event)) for event in computed}
    assert all(matching.values())
    assert in_code - computed | set().union(*matching.values()) == in_table
