"""What every call to Stripe has in common: the key, the version, forms, errors, evidence.

Source: https://docs.stripe.com/api/authentication, …/api/idempotent_requests, …/api/errors.
"""

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from domain.errors import GatewayUnavailable, OutcomeUnknown
from domain.news import Evidence, EvidenceKind
from gateways.bodies import Json, code, malformed_is, mapping, text, word
from gateways.http import Answer, GatewayClient
from gateways.signing import sha256_hex

NAME = "stripe"
VERSION = "2026-10-28.endive"
FORM = "application/x-www-form-urlencoded"
BUSY = 409
PAGE, MOST = 100, 10_000

Clock = Callable[[], datetime]


def now() -> datetime:
    return datetime.now(UTC)


class Account:
    """An account's key. Several webhook secrets are valid while one is being changed.

    `clock` tells how old a webhook is.
    """

    def __init__(
        self,
        *,
        http: GatewayClient,
        secret_key: str,
        webhook_secrets: Sequence[str],
        clock: Clock = now,
    ) -> None:
        headers = {"Authorization": f"Bearer {secret_key}", "Stripe-Version": VERSION}
        self._http = replace(http, headers=headers, explain=error_text)
        self._webhook_secrets = tuple(webhook_secrets)
        self._clock = clock

    @property
    def hears_webhooks(self) -> bool:
        return bool(self._webhook_secrets)

    async def _send(
        self, path: str, *ids: str, form: str, key: str | None = None, answers: Collection[int] = ()
    ) -> Answer:
        """Post a form, under an idempotency key if there is one.

        While the same request is being dealt with, Stripe says 409 and has done nothing.
        """
        headers = {"Content-Type": FORM} | ({"Idempotency-Key": key} if key else {})
        heard = (BUSY, *answers)
        answer = await self._http.post(path, *ids, content=form, headers=headers, answers=heard)
        if answer.status == BUSY:
            raise GatewayUnavailable(str(answer.failure))
        return answer

    async def _pages(self, path: str, query: Mapping[str, str]) -> AsyncIterator[Answer]:
        """A list from its newest entry on; one without an end is no answer."""
        more, page = True, {**query, "limit": str(PAGE)}
        for _ in range(MOST // PAGE):
            answer = await self._http.get(path, query=page)
            yield answer
            with malformed_is(answer.failure):
                more, entries = answer.body["has_more"], answer.body["data"]
                page |= {"starting_after": text(entries[-1], "id")} if more else {}
            if not more:
                return
        raise OutcomeUnknown(f"GET {path}: a list without an end")


def form_of(fields: Mapping[str, Any]) -> str:
    """The fields as a form, in their order; what is nested gets brackets."""
    return urlencode(list(_flat(fields)))


def _flat(fields: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for name, value in fields.items():
        full = f"{prefix}[{name}]" if prefix else name
        pairs += _flat(value, full) if isinstance(value, Mapping) else [(full, str(value))]
    return pairs


def error_text(body: Json) -> str:
    """Stripe's words for what is wrong. Its sentences may quote what was sent, so they stay."""
    error = mapping(body.get("error"))
    return ": ".join(filter(None, [code(error, "type"), code(error, "code"), word(error, "param")]))


def evidence_of(answers: Sequence[Answer]) -> Evidence:
    calls = ", ".join(answer.call for answer in answers)
    digest = sha256_hex(*(answer.raw for answer in answers))
    return Evidence(EvidenceKind.STATUS_QUERY, calls, digest)


def noted(entity: Json, name: str) -> str | None:
    """What we wrote into the entity's metadata, if it is there."""
    return word(mapping(entity.get("metadata")), name)


def id_of(entity: Json, name: str) -> str | None:
    """The id of another object, whether Stripe sends that in full or only names it."""
    return word(mapping(entity.get(name)), "id") or word(entity, name)
