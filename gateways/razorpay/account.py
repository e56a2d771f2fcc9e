"""What every call to Razorpay has in common: the keys, the errors, the evidence."""

from collections.abc import Sequence
from dataclasses import replace

from domain.news import Evidence, EvidenceKind
from gateways.bodies import Json, mapping, word
from gateways.http import Answer, GatewayClient
from gateways.signing import sha256_hex

NAME = "razorpay"


class Account:
    """An account's keys. Several webhook secrets are valid while one is being changed."""

    def __init__(
        self, *, http: GatewayClient, key_id: str, key_secret: str, webhook_secrets: Sequence[str]
    ) -> None:
        self._http = replace(http, auth=(key_id, key_secret), explain=error_text)
        self._key_secret = key_secret
        self._webhook_secrets = tuple(webhook_secrets)

    @property
    def hears_webhooks(self) -> bool:
        return bool(self._webhook_secrets)


def error_text(body: Json) -> str:
    error = mapping(body.get("error"))
    return ": ".join(filter(None, [word(error, "code"), word(error, "description")]))


def evidence_of(answers: Sequence[Answer]) -> Evidence:
    calls = ", ".join(answer.call for answer in answers)
    digest = sha256_hex(*(answer.raw for answer in answers))
    return Evidence(EvidenceKind.STATUS_QUERY, calls, digest)


def items_of(collection: Json) -> list[Json]:
    """The entities of a list; one that says it is longer than it is proves nothing."""
    items: list[Json] = collection["items"]
    if collection.get("count", len(items)) != len(items):
        raise ValueError("not the whole list")
    return items


def noted(entity: Json, name: str) -> str | None:
    """What we wrote into the entity's notes, if it is there; without notes they are a list."""
    return word(mapping(entity.get("notes")), name)
