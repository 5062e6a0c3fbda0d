"""The rights of each actor on each object, found by attempts; every attempt is rolled back.

A cell is the reach of an actor: `-` is refused; `none`, `own` and `all` are the rows in reach;
`yes` is used where there are no rows to tell apart. Where only some columns may be updated, the
cell names them.
"""

import json
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql

ACTORS = ["anon", "owner", "stranger", "anonymous", "bridge", "worker", "service"]
ROLES = {
    "anon": "anon",
    "bridge": "generation_bridge",
    "worker": "generation_worker",
    "service": "service_role",
}

OBJECTS = r"""
select 'schema', nspname::text, null from pg_namespace
union all
select case when relkind = 'S' then 'sequence' else 'table' end, c.oid::regclass::text, null
from pg_class c where relkind in ('r', 'p', 'v', 'm', 'f', 'S')
union all
select 'function', p.oid::regprocedure::text, format('%s(%s)', p.oid::regproc, (
  select string_agg('null::' || format_type(type, null), ', ' order by place)
  from unnest(proargtypes) with ordinality as arguments (type, place)
))
from pg_proc p
union all
select 'policy', format('%s.%s: %s', schemaname, tablename, policyname), null
from pg_policies where schemaname not in ('public', 'private')
union all
select 'trigger', format('%s: %s', tgrelid::regclass, tgname), null
from pg_trigger where not tgisinternal and tgrelid::regclass::text !~ '^(public|private)\.'
union all
select 'bucket', id, null from storage.buckets
"""

Action = Callable[[str], str]

RIGHTS_OF_OWNERS = "truncate, references, trigger, maintain"
SELECT = "select to_jsonb(t) from (select {1} from {0}) t"
UPDATE = "update {0} t set {1} = {1} returning to_jsonb(t)"
DELETE = "delete from {0} t returning to_jsonb(t)"
COLUMNS = """
select quote_ident(attname) from pg_attribute
where attrelid = %s::regclass and attnum > 0 and not attisdropped and attgenerated = '' and attidentity = ''
"""
READABLE = """
select quote_ident(attname) from pg_attribute
where attrelid = %s::regclass and attnum > 0 and not attisdropped
  and has_column_privilege(%s, attrelid, attnum, 'select')
"""
UPLOAD = "insert into storage.objects (bucket_id, name) values ('generations', '{0}/new.png')"
SEND = "insert into realtime.messages (topic, extension, private) values ('{0}', '{1}', true)"
PROBE = "insert into realtime.messages (topic, extension, private, event) values (%s, %s, true, 'probe')"

SUBSCRIBED = {
    "id": "event", "type": "INITIAL_PURCHASE", "store": "APP_STORE", "product_id": "gold", "event_timestamp_ms": 1,
    "transaction_id": "1", "original_transaction_id": "1", "expiration_at_ms": 2,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Found:
    """One object of a database; for a function, also the expression that calls it."""

    kind: str
    name: str
    expression: str | None = None


def objects(conn: psycopg.Connection[Any]) -> set[Found]:
    conn.execute("set search_path = pg_catalog")  # so that every name has its schema
    found = {Found(*row) for row in conn.execute(OBJECTS)}
    return {one for one in found if not one.name.startswith(("pg_toast", "pg_temp"))}


class Explorer:
    """Acts as every actor in turn, on one connection of role postgres."""

    def __init__(self, conn: psycopg.Connection[Any], ours: set[Found]) -> None:
        self.conn, self.ours = conn, ours
        self.ids = {actor: uuid.uuid4() for actor in ("owner", "stranger", "anonymous")}
        for actor in ("owner", "anonymous"):  # the stranger is a new user without rows
            self.create_rows_of(actor)
        conn.execute("delete from auth.users where id = %s", (self.ids["stranger"],))
        conn.execute(
            "insert into private.provider_cancellations (provider_ref, provider, job_id)"
            " values ('ref', 'preview', gen_random_uuid())"
        )
        conn.execute("insert into private.prompt_filter (word) values ('forbidden')")
        conn.execute("insert into private.products (id, credits, gives_access) values ('gold', 1, true)")
        conn.execute("select public.record_purchase(%s)", (json.dumps(SUBSCRIBED),))
        # The Storage API does this for its transactions.
        conn.execute("select set_config('storage.allow_delete_query', 'true', false)")

    def create_rows_of(self, actor: str) -> None:
        """Create an unfinished job, an ended one with its generation, and a picture."""
        user_id, ended = self.ids[actor], uuid.uuid4()
        self.conn.execute(
            "insert into auth.users (id, is_anonymous) values (%s, %s)", (user_id, actor == "anonymous")
        )
        with self.conn.transaction():
            self.become(actor)
            for job_id in (uuid.uuid4(), ended):
                self.conn.execute(
                    "select public.enqueue_generation(%s, 'preview', '{\"prompt\": \"a fox\"}')", (job_id,)
                )
            self.conn.execute("select public.cancel_generation(%s)", (ended,))
            self.conn.execute("select public.report_generation(%s, 'other')", (ended,))
            self.conn.execute("select public.register_device(%s, 'ios')", (f"ExponentPushToken[{actor}]",))
        self.conn.execute(UPLOAD.format(f"{user_id}/{ended}").encode())

    def become(self, actor: str) -> None:
        """Act as this actor until the end of the transaction."""
        role = ROLES.get(actor, "authenticated")
        claims = {"role": role, "sub": str(self.ids[actor])} if actor in self.ids else {"role": role}
        values = (json.dumps(claims | {"is_anonymous": actor == "anonymous"}),)
        self.conn.execute("select set_config('request.jwt.claims', %s, true)", values)
        self.conn.execute(sql.SQL("set local role {}").format(sql.Identifier(role)))

    def attempt(self, query: str, actor: str) -> str | list[Any]:
        """The first column of the rows; `yes` if there are none to return; `-` if refused.

        Any other error is `yes`, too: rights were not missing.
        """
        try:
            with self.conn.transaction(force_rollback=True):
                self.become(actor)
                cursor = self.conn.execute(query.encode())
                return [row[0] for row in cursor] if cursor.description else "yes"
        except psycopg.errors.InsufficientPrivilege:
            return "-"
        except psycopg.Error:
            return "yes"

    def may(self, question: str, actor: str) -> str:
        return "yes" if self.attempt(f"select {question}", actor) == [True] else "-"

    def call(self, expression: str, actor: str) -> str:
        return "-" if self.attempt(f"select {expression}", actor) == "-" else "yes"

    def reach(self, query: str, table: str, actor: str) -> str:
        """The rows of a table that the actor's query reaches, as a cell."""
        rows = self.attempt(query.format(table), actor)
        if not isinstance(rows, list) or not rows:
            return "none" if rows == [] else str(rows)
        return "own" if {owner_of(table, row) for row in rows} == {str(self.ids.get(actor))} else "all"

    def select(self, table: str, actor: str) -> str:
        """The reach with the granted columns; the prefix `some:` marks missing grants on others."""
        role = ROLES.get(actor, "authenticated")
        columns = [str(row[0]) for row in self.conn.execute(READABLE, (table, role))]
        cell = self.reach(SELECT.format("{0}", ", ".join(columns) or "*"), table, actor)
        (is_whole,) = self.conn.execute(
            "select has_table_privilege(%s, %s, 'select')", (role, table)
        ).fetchone() or (False,)
        return cell if is_whole or cell == "-" else f"some:{cell}"

    def update(self, table: str, actor: str) -> str:
        columns = [str(row[0]) for row in self.conn.execute(COLUMNS, (table,))]
        cells = {column: self.reach(UPDATE.format("{0}", column), table, actor) for column in columns}
        if len(set(cells.values())) == 1:
            return cells[columns[0]]
        return ",".join(f"{column}:{cell}" for column, cell in cells.items() if cell != "-")

    def upload(self, whose: str, actor: str) -> str:
        return str(self.attempt(UPLOAD.format(self.whose(whose, actor)), actor))

    def receive(self, extension: str, topic: str, actor: str) -> str:
        """Check as the Realtime server does: can the joining actor see a probe on the topic?"""
        with self.on_topic(topic, actor) as name:
            self.conn.execute(PROBE, (name, extension))
            return (
                "yes"
                if self.attempt("select 1 from realtime.messages where event = 'probe'", actor) == [1]
                else "-"
            )

    def send(self, extension: str, topic: str, actor: str) -> str:
        with self.on_topic(topic, actor) as name:
            return str(self.attempt(SEND.format(name, extension), actor))

    @contextmanager
    def on_topic(self, topic: str, actor: str) -> Iterator[str]:
        name = topic if topic == "lobby" else f"user:{self.whose(topic, actor)}"
        with self.conn.transaction(force_rollback=True):
            self.conn.execute("select set_config('realtime.topic', %s, true)", (name,))
            yield name

    def whose(self, whose: str, actor: str) -> UUID | str:
        return self.ids.get(actor if whose == "own" else whose, actor)

    def matrix(self) -> dict[tuple[str, str], list[str]]:
        """The cells of the actors, for each object and action."""
        actions = self.platform_actions()
        for found in self.ours:
            actions |= {
                (f"{found.kind} {found.name}", action): do for action, do in self.actions(found).items()
            }
        return {key: [do(actor) for actor in ACTORS] for key, do in actions.items()}

    def actions(self, found: Found) -> dict[str, Action]:
        """The actions that can be tried with an object of ours."""
        name = found.name
        match found.kind:
            case "table":
                return {
                    "select": partial(self.select, name),
                    "insert": partial(self.may, f"has_any_column_privilege('{name}', 'insert')"),
                    "update": partial(self.update, name),
                    "delete": partial(self.reach, DELETE, name),
                    "truncate": partial(self.may, f"has_table_privilege('{name}', '{RIGHTS_OF_OWNERS}')"),
                }
            case "sequence":
                return {
                    "use": partial(self.may, f"has_sequence_privilege('{name}', 'usage, select, update')")
                }
            case "schema":
                return {"use": partial(self.may, f"has_schema_privilege('{name}', 'usage, create')")}
            case "function":
                return {"execute": partial(self.call, found.expression or "")}
            case _:
                return {"is there": lambda actor: ""}

    def platform_actions(self) -> dict[tuple[str, str], Action]:
        """The actions on the objects of Supabase that our policies decide."""
        actions: dict[tuple[str, str], Action] = {
            ("bucket generations", "see the bucket"): partial(self.select, "storage.buckets"),
            ("bucket generations", "list and download"): partial(self.select, "storage.objects"),
            ("bucket generations", "upload to own folder"): partial(self.upload, "own"),
            ("bucket generations", "upload to the owner's"): partial(self.upload, "owner"),
            ("bucket generations", "replace and move"): partial(self.update, "storage.objects"),
            ("bucket generations", "remove"): partial(self.reach, DELETE, "storage.objects"),
        }
        for topic, name in (("owner", "user:<owner>"), ("own", "user:<self>"), ("lobby", "lobby")):
            for extension in ("broadcast", "presence"):
                actions[f"topic {name}", f"receive {extension}"] = partial(self.receive, extension, topic)
                actions[f"topic {name}", f"send {extension}"] = partial(self.send, extension, topic)
        return actions


def owner_of(table: str, row: dict[str, Any]) -> str | None:
    return str(row["name"]).split("/")[0] if table == "storage.objects" else row.get("user_id")
