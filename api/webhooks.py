"""Webhooks: verify the raw bytes, store, commit, say 200, and only then act."""

from datetime import UTC, datetime
from hashlib import sha256

import structlog
from fastapi import APIRouter, BackgroundTasks, Request

from api.limits import stranger_of
from api.models import WebhookOut
from api.problems import ApiError, documented, too_many
from api.services import Opened, Services
from db.inbox import Receipt
from domain.errors import (
    BadSignature,
    GatewayUnavailable,
    MessageNotUnderstood,
    OutcomeUnknown,
)
from domain.events import GatewayEvent
from domain.news import Evidence, EvidenceKind
from gateways.base import Gateway

router = APIRouter(tags=["gateways"])
log = structlog.get_logger()


@router.post("/webhooks/{gateway}", responses=documented(401, 404, 413, 503))
async def receive_webhook(
    gateway: str, request: Request, services: Services, later: BackgroundTasks
) -> WebhookOut:
    """Answers 200 once the event is committed; whatever is not forwarded now is swept."""
    known = services.gateways.get(gateway)
    if known is None or not known.hears_webhooks:
        raise ApiError(404, "not-found", "There is no such endpoint.")
    body = await request.body()
    event = await _read(known, body, request, services)
    accepted = await services.inbox.accept(event, body, datetime.now(UTC))
    if accepted.state is Receipt.NEW:
        later.add_task(_forward, accepted.row, services)
    duplicate = accepted.state is Receipt.DUPLICATE
    return WebhookOut(status="duplicate" if duplicate else "accepted")


async def _read(gateway: Gateway, body: bytes, request: Request, services: Opened) -> GatewayEvent:
    try:
        return await gateway.read_webhook(body, request.headers)
    except BadSignature as error:
        most = services.settings.stranger_limit_per_minute
        if wait := services.rates.take(stranger_of(request.scope), most):
            raise too_many(wait) from error
        log.warning("webhook with a bad signature", gateway=gateway.name)
        raise ApiError(401, "bad-signature", "The signature is absent or wrong.") from error
    except (GatewayUnavailable, OutcomeUnknown) as error:
        log.warning("webhook that cannot be checked now", gateway=gateway.name, error=str(error))
        text = "It cannot be checked now; send it again."
        raise ApiError(503, "gateway-unavailable", text) from error
    except MessageNotUnderstood:
        log.warning("signed webhook that does not read", gateway=gateway.name)
        digest = sha256(body).hexdigest()
        evidence = Evidence(EvidenceKind.WEBHOOK, digest, digest)
        return GatewayEvent(gateway.name, digest, "unreadable", evidence)


async def _forward(row: int, services: Opened) -> None:
    try:
        await services.delivery.forward(row, datetime.now(UTC))
    except Exception as error:  # the row is stored: the sweep will try again
        log.warning("webhook not forwarded yet", row=row, error=type(error).__name__)
