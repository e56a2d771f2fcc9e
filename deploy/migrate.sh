#!/bin/sh
# Brings our database up to the code, then takes in the merchant's catalogue; both can be repeated.
set -eu

DATABASE_URL=$(cat "${SECRETS:-/run/secrets}/database_url")
export DATABASE_URL

python -m db upgrade
python -m db seed "${CATALOGUE:-/etc/paidonce/catalogue.json}"
