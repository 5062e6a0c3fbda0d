#!/usr/bin/env bash
# deploy/backup.sh FILE: what only this database has, in one file: users, jobs, generations, the
# ledger, purchases and settings. Not in it: pictures (docs/deploy.md), and the schema, which the
# migrations bring. pg_dump must not be older than the server.
set -euo pipefail
: "${DATABASE_URL:?the login of the owner of the schema}" "${1:?usage: deploy/backup.sh FILE}"
umask 077
exec pg_dump "$DATABASE_URL" --format=custom --data-only --no-owner --file="$1" \
  --table='public.*' --table='private.*' --table=auth.users --table=auth.identities
