#!/bin/sh
# Makes the secret files that docker-compose.yml mounts, and never touches one that exists.
# Prints the API's two keys, once: only their hashes are kept.
set -eu

folder=${1:-secrets}
umask 077
mkdir -p "$folder"

random() {
    head -c 24 /dev/urandom | base64 | tr '+/' '-_'
}

# Containers read the files under other user ids: the folder keeps strangers out.
keep() {
    [ -e "$folder/$1" ] || printf '%s' "$2" >"$folder/$1"
    chmod 444 "$folder/$1"
}

hash_of() {
    printf '%s' "$1" | sha256sum | cut -d' ' -f1
}

keep postgres_password "$(random)"
keep temporal_database_password "$(random)"
keep paidonce_database_password "$(random)"
password=$(cat "$folder/paidonce_database_password")
keep database_url "postgresql+asyncpg://paidonce:$password@postgres:5432/paidonce"

if [ ! -e "$folder/api_keys" ]; then
    client=$(random)
    operator=$(random)
    keep api_keys "[{\"name\": \"shop\", \"role\": \"client\", \"sha256\": \"$(hash_of "$client")\"},
 {\"name\": \"ops\", \"role\": \"operator\", \"sha256\": \"$(hash_of "$operator")\"}]"
    echo "the shop's key:    $client"
    echo "the operator's key: $operator"
fi

# Empty is right for a mail server that asks for no password.
keep smtp_password ""

# And these for a shop whose customers pay neither at Stripe nor by PayPal.
keep stripe_secret_key ""
keep stripe_webhook_secrets "[]"
keep paypal_client_secret ""

for name in razorpay_key_secret razorpay_webhook_secrets; do
    [ -e "$folder/$name" ] || echo "still to write: $folder/$name"
done
