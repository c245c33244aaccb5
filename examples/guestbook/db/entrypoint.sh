#!/bin/sh
# Makes the database at the first start, then becomes PostgreSQL.
set -eu

: "${DATABASE_USER:?}" "${DATABASE_NAME:?}" "${DATABASE_PASSWORD:?}"

# Made beside its place and moved there when it is whole: a start that was cut off begins anew.
if [ ! -d "$PGDATA" ]; then
  new=$PGDATA.new
  rm -rf "$new"
  password=$(mktemp)
  printf '%s\n' "$DATABASE_PASSWORD" > "$password"
  initdb --pgdata="$new" --username="$DATABASE_USER" --pwfile="$password" --auth=scram-sha-256 --encoding=UTF8 --no-instructions
  rm -f "$password"
  printf '%s\n' 'host all all all scram-sha-256' >> "$new/pg_hba.conf"
  # Nobody but this script can reach it: no address, a socket directory of its own, and --single needs no password.
  printf 'CREATE DATABASE "%s";\n' "$DATABASE_NAME" | postgres --single -D "$new" postgres > /dev/null
  sync
  mv "$new" "$PGDATA"
fi

exec postgres -D "$PGDATA" \
  -c listen_addresses='*' \
  -c unix_socket_directories=/tmp \
  -c shared_buffers=64MB \
  -c max_connections=50 \
  -c log_destination=stderr
