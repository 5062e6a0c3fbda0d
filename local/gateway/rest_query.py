"""The translation of a query string of the Data API to SQL.

Names become identifiers and values literals; no text is copied into SQL. Every column is qualified
with the alias t, so that a name can only mean a column of the requested table.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass

from psycopg import sql
from starlette.datastructures import QueryParams

from local.gateway.refused import Refused, not_spoken

MAX_ROWS = 1000
# The parameters that a query string may have beside filters.
READ = ("select", "order", "limit")
DELETE = ()
# Names that PostgREST does not treat as columns.
RESERVED = (*READ, "offset", "columns", "on_conflict", "and", "or", "not.and", "not.or")
OPERATORS = {
    "eq": sql.SQL("="),
    "neq": sql.SQL("<>"),
    "gt": sql.SQL(">"),
    "gte": sql.SQL(">="),
    "lt": sql.SQL("<"),
    "lte": sql.SQL("<="),
    "in": sql.SQL("in"),
}
DIRECTIONS = {
    "asc": sql.SQL(" asc"),
    "desc": sql.SQL(" desc"),
    "nullsfirst": sql.SQL(" nulls first"),
    "nullslast": sql.SQL(" nulls last"),
}
COLUMN = re.compile(r"[^\W\d]\w*")
MEMBER = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*)"|([^,"]*))\s*(?:,|$)')


@dataclass(frozen=True, slots=True)
class Query:
    columns: sql.Composable
    where: sql.Composable
    is_filtered: bool
    order: sql.Composable
    limit: int


def parse(params: QueryParams, known: Collection[str]) -> Query:
    filters = []
    for name, text in params.multi_items():
        if name in known and len(params.getlist(name)) > 1:
            raise not_spoken(f"the query parameter {name} twice")
        if name in RESERVED and name not in known:
            raise not_spoken(f"the query parameter {name}")
        if name not in (*known, "apikey"):
            filters.append(condition(name, text))
    orders = [order(term) for term in params.get("order", "").split(",") if term]
    return Query(
        columns=sql.SQL(", ").join(column(name) for name in params.get("select", "*").split(",")),
        where=sql.SQL(" where ") + sql.SQL(" and ").join(filters) if filters else sql.SQL(""),
        is_filtered=bool(filters),
        order=sql.SQL(" order by ") + sql.SQL(", ").join(orders) if orders else sql.SQL(""),
        limit=min(number(params.get("limit", str(MAX_ROWS))), MAX_ROWS),
    )


def unreadable(what: str, text: str) -> Refused:
    return Refused(400, "PGRST100", f"failed to parse {what} ({text})")


def field(name: str) -> sql.Composable:
    """Return a plain column. Refuse a cast, a path into JSON, an aggregate or an embedded table."""
    if not COLUMN.fullmatch(name.strip()):
        raise not_spoken(f"{name!r} as a column")
    return sql.Identifier("t", name.strip())


def column(term: str) -> sql.Composable:
    if term.strip() == "*":
        return sql.SQL("t.*")
    alias, separator, name = term.partition(":")
    if not separator or name.startswith(":"):  # a::text is a cast
        return field(term)
    return sql.SQL("{} as {}").format(field(name), sql.Identifier(alias.strip()))


def condition(name: str, text: str) -> sql.Composable:
    operator, separator, value = text.partition(".")
    if not separator:
        raise unreadable("a filter", text)
    left = field(name)
    if operator not in OPERATORS:
        raise not_spoken(f"the operator {operator} of the filter {name}={text}")
    right = members(value) if operator == "in" else sql.Literal(value)
    return sql.SQL("{} {} {}").format(left, OPERATORS[operator], right)


def members(text: str) -> sql.Composable:
    """Parse a list. `(a,"b,c")` has two members; a quoted one may contain any character."""
    if not (text.startswith("(") and text.endswith(")")):
        raise unreadable("a list", text)
    found, position, text = [], 0, text[1:-1]
    while position < len(text):
        match = MEMBER.match(text, position)
        if match is None:
            raise unreadable("a list", text)
        quoted, bare = match.groups()
        found.append(bare.strip() if quoted is None else re.sub(r"\\(.)", r"\1", quoted))
        position = match.end()
    if not found:
        return sql.SQL("(null)")  # matches no row
    return sql.SQL("({})").format(sql.SQL(", ").join(map(sql.Literal, found)))


def order(term: str) -> sql.Composable:
    name, *words = term.split(".")
    if not set(words) <= DIRECTIONS.keys():
        raise unreadable("order", term)
    return sql.Composed([field(name), *(DIRECTIONS[word] for word in words)])


def number(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,18}", text):
        raise unreadable("a number", text)
    return int(text)
