"""The control API: for tests and demos on this machine, not part of any gateway.

Times are ISO 8601 in UTC, amounts minor units. An `order_id` may be any name of a link: the
merchant's order, the reference, the link's own id.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Literal

from fastapi import APIRouter, Depends, HTTPException, Request

from simulator.announcer import Announcer
from simulator.books import Books
from simulator.dialect import PageUrl
from simulator.faults import Faults
from simulator.gateway import Gateway
from simulator.records import Event, Json, Link, Outcome, Payment
from simulator.webhooks import WebhookSender


@dataclass(frozen=True, slots=True)
class Settlement:
    outcome: Literal["success", "failure"]


@dataclass(frozen=True, slots=True)
class Forgery:
    order_id: str
    event: str | None = None


def loopback_only(request: Request) -> None:
    if not request.client or not ip_address(request.client.host).is_loopback:
        raise HTTPException(403, "the control API serves this machine only")


class ControlApi:
    def __init__(
        self,
        books: Books,
        gateway: Gateway,
        announcer: Announcer,
        sender: WebhookSender,
        page_url: PageUrl,
    ) -> None:
        self._ledger, self._outbox, self._faults = books.ledger, books.outbox, books.faults
        self._gateway, self._announcer, self._sender = gateway, announcer, sender
        self._page_url = page_url

    def router(self) -> APIRouter:
        routes = APIRouter(prefix="/simulator", dependencies=[Depends(loopback_only)])
        routes.get("/healthz")(self.health)
        routes.put("/faults/{order_id}")(self.set_faults)
        routes.get("/faults/{order_id}")(self.show_faults)
        routes.delete("/faults/{order_id}")(self.clear_faults)
        routes.get("/ledger")(self.show_ledger)
        routes.post("/payments/{payment_id}/settle")(self.settle)
        routes.post("/webhooks/forge")(self.forge)
        return routes

    async def health(self) -> Json:
        return {"status": "ok"}

    async def set_faults(self, order_id: str, faults: Faults) -> Json:
        self._faults.put(self._names(order_id), faults)
        return asdict(faults)

    async def show_faults(self, order_id: str) -> Json:
        """Show what is left of them: counters go down as they are used."""
        return asdict(self._faults.of(self._names(order_id)))

    async def clear_faults(self, order_id: str) -> Json:
        self._faults.clear(self._names(order_id))
        return asdict(Faults())

    async def show_ledger(self, order_id: str | None = None) -> Json:
        links = self._ledger.links_named(order_id) if order_id else self._ledger.links()
        each = [(link, payment) for link in links for payment in self._payments(link)]
        calls = self._ledger.calls(links[0].names[0] if order_id and links else order_id)
        return {
            "links": [self._link(link) for link in links],
            "payments": [payment_view(payment, link) for link, payment in each],
            "events": [
                event_view(event) for link in links for event in self._outbox.events(link.id)
            ],
            "deliveries": [
                timed(attempt) for link in links for attempt in self._outbox.attempts(link.id)
            ],
            "calls": [timed(call) for call in calls],
        }

    async def settle(self, payment_id: str, settlement: Settlement) -> Json:
        payment = self._ledger.payment(payment_id)
        if payment is None:
            raise HTTPException(404, f"there is no payment {payment_id}")
        payment = self._gateway.settle(payment, Outcome(settlement.outcome))
        (link,) = self._ledger.links(id=payment.link_id)
        return payment_view(payment, link)

    async def forge(self, forgery: Forgery) -> Json:
        links = self._ledger.links_named(forgery.order_id)
        if not links:
            raise HTTPException(404, f"there is no link for {forgery.order_id}")
        try:
            forged = self._announcer.forge(links[-1], forgery.event)
        except LookupError:
            raise HTTPException(422, f"a capture fires no event {forgery.event}") from None
        return {"status_code": await self._sender.post(forged)}

    def _names(self, name: str) -> Sequence[str]:
        links = self._ledger.links_named(name)
        return links[-1].names if links else (name,)

    def _payments(self, link: Link) -> list[Payment]:
        return self._ledger.payments(link_id=link.id)

    def _link(self, link: Link) -> Json:
        names = (
            "id",
            "order_id",
            "reference_id",
            "gateway_order_id",
            "status",
            "amount",
            "currency",
        )
        values = {name: getattr(link, name) for name in names}
        times = {name: getattr(link, name) for name in ("created_at", "expires_at", "closed_at")}
        short_url = {"short_url": self._page_url(link.id)}
        return values | short_url | {name: iso(at) for name, at in times.items()}


def payment_view(payment: Payment, link: Link) -> Json:
    names = ("id", "link_id", "status", "amount", "currency", "method", "captured")
    values = {name: getattr(payment, name) for name in names}
    times = {"created_at": iso(payment.created_at), "settle_at": iso(payment.settle_at)}
    return values | times | {"order_id": link.order_id}


def event_view(event: Event) -> Json:
    values = {"id": event.id, "event": event.name, "payment_id": event.payment_id}
    return values | {"link_id": event.link_id, "created_at": iso(event.created_at)}


def timed(row: Json) -> Json:
    return row | {"at": iso(row["at"])}


def iso(at: float | None) -> str | None:
    return None if at is None else datetime.fromtimestamp(at, UTC).isoformat()
