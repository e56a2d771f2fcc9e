#!/bin/sh
# Starts the server with its password from a file: the image knows only the environment.
set -eu

POSTGRES_PWD=$(cat "${SECRETS:-/run/secrets}/temporal_database_password")
# In two networks a host has two addresses, and the image's own script would join them in one line.
TEMPORAL_BROADCAST_ADDRESS=$(getent hosts "$(hostname)" | awk 'NR == 1 { print $1 }')
export POSTGRES_PWD TEMPORAL_BROADCAST_ADDRESS

exec /etc/temporal/entrypoint.sh
