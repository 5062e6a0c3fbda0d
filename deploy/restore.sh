#!/usr/bin/env bash
# deploy/restore.sh FILE: loads a backup into a project without users whose migrations are applied,
# whole or not at all, and compares every balance with its ledger at the end. Stop bridges and
# workers first.
set -euo pipefail
: "${DATABASE_URL:?the login of the owner of the schema, in the new project}" "${1:?usage: deploy/restore.sh FILE}"
before="
-- While rows are loaded, no trigger gives starter credits, notifies or broadcasts.
set session_replication_role = replica;
do \$\$
declare
  v_tables text;
begin
  if exists (select from auth.users) then
    raise exception 'This project has users: restore into a new one.';
  end if;
  -- Remove the rows of the migrations, such as that of private.config.
  select string_agg(oid::regclass::text, ', ') into v_tables
  from pg_class
  where relkind = 'r' and relnamespace in ('public'::regnamespace, 'private'::regnamespace)
    and pg_has_role(relowner, 'usage');
  execute 'truncate ' || v_tables;
end
\$\$;"
after="
set session_replication_role = origin;
do \$\$
begin
  if exists (select from private.ledger_mismatches()) then
    raise exception 'Balances differ from the ledger: nothing was restored.';
  end if;
end
\$\$;"
{ echo "$before"; pg_restore --data-only --no-owner --file=- "$1"; echo "$after"; } |
  psql "$DATABASE_URL" --no-psqlrc --quiet --single-transaction --set=ON_ERROR_STOP=1 --output=/dev/null
echo "Restored. Every balance is that of its ledger."
