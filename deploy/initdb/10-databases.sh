#!/bin/sh
# Runs once, in an empty PostgreSQL: one role and its databases for Temporal, one for the orders.
set -eu

SECRETS=${SECRETS:-/run/secrets}
export SECRETS

# psql reads the passwords itself, so that no command line ever shows them.
psql --set ON_ERROR_STOP=1 --no-psqlrc --quiet \
    --username "${POSTGRES_USER:-postgres}" --dbname postgres <<'SQL'
\set temporal_password `cat "$SECRETS/temporal_database_password"`
\set paidonce_password `cat "$SECRETS/paidonce_database_password"`

CREATE ROLE temporal LOGIN PASSWORD :'temporal_password';
CREATE ROLE paidonce LOGIN PASSWORD :'paidonce_password';

CREATE DATABASE temporal OWNER temporal;
CREATE DATABASE temporal_visibility OWNER temporal;
CREATE DATABASE paidonce OWNER paidonce;

REVOKE CONNECT ON DATABASE temporal, temporal_visibility, paidonce FROM PUBLIC;
SQL
