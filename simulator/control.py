"""The control API: for tests and demos on this machine, not part of any gateway.

An `order_id` may be any name of a link: the merchant's order, the reference, the link's own id.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from ipaddress import ip_address

from fastapi import APIRouter, Depends, HTTPException, Request

from simulator.announcer import Announcer
from simulator.books import Books
from simulator.dialect import Dialect, PageUrl
from simulator.faults import Faults
from simulator.records import Json
from simulator.views import dispute_view, event_view, link_view, payment_view, refund_view, timed
from simulator.webhooks import WebhookSender


@dataclass(frozen=True, slots=True)
class Forgery:
    order_id: str
    event: str | None = None


def loopback_only(request: Request) -> None:
    if not request.client or not ip_address(request.client.host).is_loopback:
        raise HTTPException(403, "the control API serves this machine only")


def control_router() -> APIRouter:
    return APIRouter(prefix="/simulator", dependencies=[Depends(loopback_only)])


class ControlApi:
    """What is true, what goes wrong, and a liar among the senders."""

    def __init__(
        self,
        books: Books,
        announcer: Announcer,
        sender: WebhookSender,
        dialects: Mapping[str, Dialect],
        page_url: PageUrl,
    ) -> None:
        self._ledger, self._outbox, self._faults = books.ledger, books.outbox, books.faults
        self._announcer, self._sender = announcer, sender
        self._dialects, self._page_url = dialects, page_url

    def router(self) -> APIRouter:
        routes = control_router()
        routes.get("/healthz")(self.health)
        routes.put("/faults/{order_id}")(self.set_faults)
        routes.get("/faults/{order_id}")(self.show_faults)
        routes.delete("/faults/{order_id}")(self.clear_faults)
        routes.get("/ledger")(self.show_ledger)
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
        ledger, outbox = self._ledger, self._outbox
        links = ledger.links_named(order_id) if order_id else ledger.links()
        paid = [(each, link) for link in links for each in ledger.payments(link_id=link.id)]
        return {
            "links": [
                link_view(link, self._page_url(link.id)) for link in links if not link.elsewhere
            ],
            "payments": [
                payment_view(
                    payment, link, self._dialects[link.dialect].reference_of(link, payment)
                )
                for payment, link in paid
            ],
            "refunds": [
                refund_view(refund, link)
                for payment, link in paid
                for refund in ledger.refunds(payment_id=payment.id)
            ],
            "disputes": [
                dispute_view(dispute, link)
                for payment, link in paid
                for dispute in ledger.disputes(payment_id=payment.id)
            ],
            "events": [
                event_view(event, link) for link in links for event in outbox.events(link.id)
            ],
            "deliveries": [timed(sent) for link in links for sent in outbox.attempts(link.id)],
            "calls": [
                timed(call)
                for call in ledger.calls(links[0].names[0] if order_id and links else order_id)
            ],
        }

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
