"""Authorization of a caller to read a Realtime topic.

The policies on realtime.messages decide, as on hosted Supabase.
"""

import json
from collections.abc import Mapping

import psycopg

from local.gateway.keys import Identity

# In the order of hosted Realtime: insert a probe row as admin, take the caller's role and claims,
# and select the row.
PROBE = """
insert into realtime.messages (topic, extension, payload, event, private)
values (%s, 'broadcast', '{}', 'probe', true) returning id
"""
BECOME = """
select set_config('role', %(role)s, true),
       set_config('realtime.topic', %(topic)s, true),
       set_config('request.jwt.claims', %(claims)s, true),
       set_config('request.jwt.claim.sub', %(sub)s, true),
       set_config('request.jwt.claim.role', %(role)s, true),
       set_config('request.headers', %(headers)s, true)
"""


async def may_read(database_url: str, topic: str, caller: Identity, headers: Mapping[str, str]) -> bool:
    """Return whether the policies let the caller read the topic.

    Raises psycopg.Error when the database is unavailable or a policy fails.
    """
    connecting = psycopg.AsyncConnection.connect(database_url, connect_timeout=5)
    async with await connecting as conn, conn.transaction(force_rollback=True):
        await conn.execute("select set_config('realtime.is_probe', 'true', true)")
        probe = await (await conn.execute(PROBE, (topic,))).fetchone()
        facts = {
            "role": caller.role,
            "topic": topic,
            "claims": json.dumps(caller.claims),
            "sub": str(caller.claims.get("sub", "")),
            "headers": json.dumps(dict(headers)),
        }
        await conn.execute(BECOME, facts)
        seen = await conn.execute("select from realtime.messages where id = %s", probe)
        return await seen.fetchone() is not None
