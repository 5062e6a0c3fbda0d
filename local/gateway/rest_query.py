"""A query string of the Data API as SQL. Names become identifiers and values literals; nothing is copied into SQL.

Every column is qualified with the alias t, so that a name can only mean a column of the table asked for.
"""

import re
from dataclasses import dataclass

from psycopg import sql
from starlette.datastructures import QueryParams

from local.gateway import rest_errors
from local.gateway.refusal import Refusal

MAX_ROWS = 1000
NOT_FILTERS = frozenset({"select", "order", "limit", "offset", "columns", "on_conflict", "apikey"})
OPERATORS = {
    "eq": sql.SQL("="),
    "neq": sql.SQL("<>"),
    "gt": sql.SQL(">"),
    "gte": sql.SQL(">="),
    "lt": sql.SQL("<"),
    "lte": sql.SQL("<="),
}
IS = {
    "null": sql.SQL("null"),
    "not_null": sql.SQL("not null"),
    "true": sql.SQL("true"),
    "false": sql.SQL("false"),
    "unknown": sql.SQL("unknown"),
}
DIRECTIONS = {
    "asc": sql.SQL(" asc"),
    "desc": sql.SQL(" desc"),
    "nullsfirst": sql.SQL(" nulls first"),
    "nullslast": sql.SQL(" nulls last"),
}
MEMBER = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*)"|([^,"]*))\s*(?:,|$)')


@dataclass(frozen=True, slots=True)
class Query:
    columns: sql.Composable
    where: sql.Composable
    is_filtered: bool
    order: sql.Composable
    limit: int
    offset: int


def parse(params: QueryParams) -> Query:
    filters = [condition(name, text) for name, text in params.multi_items() if name not in NOT_FILTERS]
    orders = [order(term) for term in params.get("order", "").split(",") if term]
    return Query(
        columns=sql.SQL(", ").join(column(name) for name in params.get("select", "*").split(",")),
        where=sql.SQL(" where ") + sql.SQL(" and ").join(filters) if filters else sql.SQL(""),
        is_filtered=bool(filters),
        order=sql.SQL(" order by ") + sql.SQL(", ").join(orders) if orders else sql.SQL(""),
        limit=min(number(params.get("limit", str(MAX_ROWS))), MAX_ROWS),
        offset=number(params.get("offset", "0")),
    )


def unreadable(what: str, text: str) -> Refusal:
    return Refusal(400, rest_errors.body("PGRST100", f"failed to parse {what} ({text})"))


def field(name: str) -> sql.Composable:
    if not name.strip() or re.search(r"[()\x00]", name):
        raise unreadable("a column name; this gateway knows no embedded tables", name)
    return sql.Identifier("t", name.strip())


def column(term: str) -> sql.Composable:
    if term.strip() == "*":
        return sql.SQL("t.*")
    alias, separator, name = term.partition(":")
    if not separator or name.startswith(":"):  # a::text is a cast
        return field(term)
    return sql.SQL("{} as {}").format(field(name), sql.Identifier(alias.strip()))


def condition(name: str, text: str) -> sql.Composable:
    if name in ("and", "or", "not.and", "not.or"):
        raise unreadable("a filter; this gateway knows no logical trees", name)
    negated, text = text.startswith("not."), text.removeprefix("not.")
    operator, separator, value = text.partition(".")
    if not separator:
        raise unreadable("a filter", text)
    test = comparison(field(name), operator, value)
    return sql.SQL("not ({})").format(test) if negated else test


def comparison(left: sql.Composable, operator: str, value: str) -> sql.Composable:
    if operator in OPERATORS:
        return sql.SQL("{} {} {}").format(left, OPERATORS[operator], sql.Literal(value))
    if operator == "is" and value in IS:
        return sql.SQL("{} is {}").format(left, IS[value])
    if operator == "in" and value.startswith("(") and value.endswith(")"):
        listed = [sql.Literal(member) for member in members(value[1:-1])]
        return sql.SQL("{} in ({})").format(left, sql.SQL(", ").join(listed)) if listed else sql.SQL("false")
    raise unreadable("a filter", f"{operator}.{value}")


def members(text: str) -> list[str]:
    """`a,"b,c"` holds two members; a quoted one may hold anything."""
    found, position = [], 0
    while position < len(text):
        match = MEMBER.match(text, position)
        if match is None:
            raise unreadable("a list", text)
        quoted, bare = match.groups()
        found.append(bare.strip() if quoted is None else re.sub(r"\\(.)", r"\1", quoted))
        position = match.end()
    return found


def order(term: str) -> sql.Composable:
    name, *words = term.split(".")
    if not set(words) <= DIRECTIONS.keys():
        raise unreadable("order", term)
    return sql.Composed([field(name), *(DIRECTIONS[word] for word in words)])


def number(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,18}", text):
        raise unreadable("a number", text)
    return int(text)
