"""Calls of the functions of schema public through the Data API, with arguments by name."""

from dataclasses import dataclass
from typing import Any

from psycopg import sql

from local.gateway.database import Connection
from local.gateway.refused import Refused, not_spoken

# Every role may read the catalog. Postgres checks the right to execute a function at the call.
CANDIDATES = """
select p.proretset, p.prorettype = 'void'::regtype, p.pronargs - p.pronargdefaults, coalesce((
    select json_agg(json_build_array(a.name, n.nspname, t.typname) order by a.position)
    from unnest(p.proargnames, coalesce(p.proallargtypes, p.proargtypes::oid[]), p.proargmodes)
      with ordinality as a (name, type, mode, position)
    join pg_type t on t.oid = a.type
    join pg_namespace n on n.oid = t.typnamespace
    where a.mode is null or a.mode in ('i', 'b', 'v')
  ), '[]')
from pg_proc p
where p.pronamespace = 'public'::regnamespace and p.proname = %s and p.prokind = 'f'
"""


@dataclass(frozen=True, slots=True)
class Function:
    name: str
    returns_void: bool
    types: dict[str, sql.Identifier]  # of the arguments given


async def find(conn: Connection, name: str, given: set[str]) -> Function:
    """Return the function that has all the given arguments and requires no other."""
    for returns_set, returns_void, needed, inputs in await (
        await conn.execute(CANDIDATES, (name,))
    ).fetchall():
        names = [argument for argument, _, _ in inputs]
        if given <= set(names) and set(names[:needed]) <= given:
            types = {argument: sql.Identifier(*type_) for argument, *type_ in inputs if argument in given}
            if returns_set:
                raise not_spoken(f"functions that return rows, such as {name}")
            return Function(name, returns_void, types)
    called = f"public.{name}({', '.join(sorted(given))})"
    message = f"Could not find the function {called} in the schema cache"
    raise Refused(404, "PGRST202", message)


def arguments_in_body(function: Function, body: str) -> sql.Composable:
    typed = [sql.SQL("{} {}").format(sql.Identifier(name), type_) for name, type_ in function.types.items()]
    if not typed:
        return sql.SQL("(select) as args")
    return sql.SQL("json_to_record({}) as args ({})").format(sql.Literal(body), sql.SQL(", ").join(typed))


async def call(conn: Connection, function: Function, arguments: sql.Composable) -> str:
    """Call the function and return its result as JSON."""
    result = "'null'" if function.returns_void else "coalesce(to_json(result)::text, 'null')"
    statement = sql.SQL("select {} from {}, lateral {}({}) as result").format(
        sql.SQL(result),
        arguments,
        sql.Identifier("public", function.name),
        sql.SQL(", ").join(
            sql.SQL("{0} => args.{0}").format(sql.Identifier(name)) for name in function.types
        ),
    )
    row: Any = await (await conn.execute(statement)).fetchone()
    return str(row[0])
