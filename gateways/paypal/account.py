"""What every call to PayPal has in common: the token, the request id, the errors, the evidence.

Source: https://developer.paypal.com/api/rest/authentication, …/api/rest/requests,
…/api/rest/reference/idempotency and …/api/rest/responses.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from domain.errors import GatewayUnavailable
from domain.news import Evidence, EvidenceKind
from gateways.bodies import Json, code, mapping
from gateways.certificates import trusted_by
from gateways.http import Answer, GatewayClient
from gateways.paypal.certificates import Certificates
from gateways.paypal.token import Token
from gateways.signing import sha256_hex

NAME = "paypal"
KEY_HEADER = "PayPal-Request-Id"
IN_FULL = {"Prefer": "return=representation"}
EXPIRED_TOKEN = 401
CONFLICT = 409
IN_PROGRESS = "PREVIOUS_REQUEST_IN_PROGRESS"

Clock = Callable[[], datetime]
Call = Callable[[GatewayClient, Collection[int]], Awaitable[Answer]]


def now() -> datetime:
    return datetime.now(UTC)


class Account:
    """One REST app. Several webhook ids are valid while the webhook is being changed.

    `certificates_at` is the one other address at which signing certificates may lie; `ca` are the
    roots that vouch for them. Both are for development; `clock` tells the age of what arrives.
    """

    def __init__(
        self,
        *,
        http: GatewayClient,
        client_id: str,
        client_secret: str,
        webhook_ids: Sequence[str],
        certificates_at: str | None = None,
        ca: str | None = None,
        clock: Clock = now,
    ) -> None:
        self._http = replace(http, explain=error_text)
        self._token = Token(replace(self._http, auth=(client_id, client_secret)), clock)
        self._webhook_ids = tuple(webhook_ids)
        self._certificates = Certificates(http, trusted_by(ca), certificates_at, clock)
        self._clock = clock

    @property
    def hears_webhooks(self) -> bool:
        return bool(self._webhook_ids)

    async def _get(
        self,
        path: str,
        *ids: str,
        query: Mapping[str, str] | None = None,
        answers: Collection[int] = (),
    ) -> Answer:
        return await self._authorized(
            lambda http, heard: http.get(path, *ids, query=query, answers=heard), answers
        )

    async def _post(
        self, path: str, *ids: str, content: str, key: str, answers: Collection[int] = ()
    ) -> Answer:
        """Under a request id: while the same one is being dealt with, nothing else happens."""
        headers = {KEY_HEADER: key, **IN_FULL}
        answer = await self._authorized(
            lambda http, heard: http.post(
                path, *ids, content=content, headers=headers, answers=heard
            ),
            {CONFLICT, *answers},
        )
        if answer.status != CONFLICT:
            return answer
        if IN_PROGRESS in issues_of(answer.body):
            raise GatewayUnavailable(str(answer.failure))
        raise answer.failure

    async def _authorized(self, call: Call, answers: Collection[int]) -> Answer:
        """A token may be withdrawn before its time: it is renewed once."""
        token = await self._token.current()
        answer = await call(self._bearing(token), {EXPIRED_TOKEN, *answers})
        if answer.status != EXPIRED_TOKEN:
            return answer
        return await call(self._bearing(await self._token.renewed(token)), answers)

    def _bearing(self, token: str) -> GatewayClient:
        return replace(self._http, headers={"Authorization": f"Bearer {token}"})


def error_text(body: Json) -> str:
    """PayPal's words for what is wrong. Its sentences may quote what was sent, so they stay."""
    name = code(body, "name") or code(body, "error")
    return ": ".join(filter(None, [name, ", ".join(issues_of(body)), code(body, "debug_id")]))


def issues_of(body: Json) -> list[str]:
    """The issues that an error names; they say more than its status."""
    details = body.get("details")
    listed = [mapping(each) for each in details] if isinstance(details, list) else []
    return [issue for each in listed if (issue := code(each, "issue"))]


def evidence_of(answers: Sequence[Answer]) -> Evidence:
    calls = ", ".join(answer.call for answer in answers)
    digest = sha256_hex(*(answer.raw for answer in answers))
    return Evidence(EvidenceKind.STATUS_QUERY, calls, digest)


def up_from(entity: Json, kind: str) -> str | None:
    """The id of what the entity belongs to, such as its `captures`: its link `up` says so."""
    for link in entity.get("links") or []:
        collection, _, name = str(mapping(link).get("href", "")).rpartition("/")
        if mapping(link).get("rel") == "up" and collection.endswith(f"/{kind}"):
            return name or None
    return None
