#!/bin/sh
# Makes our namespace with its retention and search attributes; repeating it changes nothing.
set -eu

: "${TEMPORAL_ADDRESS:?the host:port of the Temporal server}"
: "${TEMPORAL_NAMESPACE:?the namespace to make}"
retention=${RETENTION:-30d}
export TEMPORAL_ADDRESS

# A server that has just started, and a namespace that was just made, are refused for some seconds.
patiently() {
    tries=0
    until said=$("$@" 2>&1 </dev/null); do
        tries=$((tries + 1))
        if [ "$tries" -ge "${TRIES:-30}" ]; then
            echo "gave up: $*: $said" >&2
            exit 1
        fi
        sleep 2
    done
}

patiently temporal operator cluster health
if temporal operator namespace describe --namespace "$TEMPORAL_NAMESPACE" >/dev/null 2>&1; then
    verb=update
else
    verb=create
fi
patiently temporal operator namespace "$verb" \
    --namespace "$TEMPORAL_NAMESPACE" --retention "$retention"

while read -r name type; do
    patiently temporal operator search-attribute create \
        --namespace "$TEMPORAL_NAMESPACE" --name "$name" --type "$type"
done <<EOF
OrderStatus Keyword
Gateway Keyword
AmountMinor Int
Currency Keyword
EOF

echo "namespace $TEMPORAL_NAMESPACE is ready, retention $retention"
