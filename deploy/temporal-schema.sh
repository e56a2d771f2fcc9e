#!/bin/sh
# Brings the schema of Temporal's two databases up to its version; repeating it changes nothing.
set -eu

SQL_PASSWORD=$(cat "${SECRETS:-/run/secrets}/temporal_database_password")
export SQL_PASSWORD

bring_up() {
    temporal-sql-tool --db "$1" setup-schema -v 0.0
    temporal-sql-tool --db "$1" update-schema -d "/etc/temporal/schema/postgresql/v12/$2/versioned"
}

bring_up temporal temporal
bring_up temporal_visibility visibility
