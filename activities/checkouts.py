"""Checkout activities: a gateway is called, and what it said is kept."""

from collections.abc import Mapping
from dataclasses import replace

from temporalio import activity

from activities.asking import asking, closed
from domain.checkouts import (
    CaptureOrder,
    Conclusion,
    LinkCapture,
    LinkOpened,
    LinkOrder,
    LinkQuery,
)
from domain.errors import OutcomeUnknown, RequestRefused
from domain.keys import new_token
from domain.news import Evidence, EvidenceKind, PaymentNews
from domain.orders import Order, OrderStatus
from domain.payments import LinkStatus, PaymentLink
from domain.ports import LinkAttempt, LinkDraft, Orders
from domain.repairs import PaymentQuery
from gateways.base import Gateway, LinkRequest


class CheckoutActivities:
    """`public_url` is where gateways send customers back to."""

    def __init__(self, orders: Orders, gateways: Mapping[str, Gateway], public_url: str) -> None:
        self._orders, self._gateways, self._public_url = orders, gateways, public_url

    @activity.defn
    async def open_link(self, wish: LinkOrder) -> LinkOpened:
        """Store the request for a link, send it, keep the link; or find the one made before."""
        order = await self._orders.order(wish.order_id)
        with asking(self._gateways, wish.gateway or order.gateway) as gateway:
            token = new_token()
            draft = self._draft(gateway, order, wish, token)
            attempt = await self._orders.begin_link(wish, draft, token)
            if attempt.draft is None or attempt.link:
                return LinkOpened(attempt.order_status, attempt.link)
            link = await self._make_link(gateway, attempt, attempt.draft)
            if await self._orders.keep_link(link):
                return LinkOpened(attempt.order_status, link)
            # This attempt was given up while the gateway was at it: nobody else knows of the link.
            query = LinkQuery(wish.order_id, gateway.name, link.key, link.reference)
            await gateway.close_payment_link(query)
            return LinkOpened(attempt.order_status)

    @activity.defn
    async def forget_link(self, query: LinkQuery) -> None:
        """Nothing was made under the key, for certain: it does not stand in another's way."""
        await self._end_link(query.key, LinkStatus.MISSING)

    @activity.defn
    async def ask(self, query: LinkQuery) -> PaymentNews:
        """What the gateway knows of an order's payments now."""
        with asking(self._gateways, query.gateway) as gateway:
            known = await self._addressed(gateway, query)
            return await gateway.ask(known) if known else _never_sent(query)

    @activity.defn
    async def ask_payment(self, query: PaymentQuery) -> PaymentNews:
        """What the gateway knows of one payment now."""
        with asking(self._gateways, query.gateway) as gateway:
            return await gateway.ask_payment(query.order_id, query.reference)

    @activity.defn
    async def close_and_ask(self, query: LinkQuery) -> PaymentNews:
        """End the link, then ask: once it has ended, the answer can be final."""
        with asking(self._gateways, query.gateway) as gateway:
            known = await self._addressed(gateway, query)
            news = await closed(gateway, known) if known else _never_sent(query)
        if news.link and not news.link.is_live:
            await self._end_link(query.key, news.link)
        return news

    @activity.defn
    async def capture(self, wish: CaptureOrder) -> PaymentNews:
        """Take what was only authorized, then ask what came of it."""
        with asking(self._gateways, wish.query.gateway) as gateway:
            await gateway.capture(wish.payment)
            known = await self._addressed(gateway, wish.query)
            return await gateway.ask(known) if known else _never_sent(wish.query)

    @activity.defn
    async def capture_link(self, wish: LinkCapture) -> PaymentNews:
        """Take the money of an approved link, unless the order has ended meanwhile."""
        standing = await self._orders.standing(wish.query.order_id)
        if not standing.status.is_open:
            raise RequestRefused(f"nothing is taken for an order that is {standing.status}")
        with asking(self._gateways, wish.query.gateway) as gateway:
            known = await self._addressed(gateway, wish.query)
            if known is None:
                return _never_sent(wish.query)
            return await gateway.capture_link(known, wish.key)

    @activity.defn
    async def conclude(self, conclusion: Conclusion) -> OrderStatus:
        """Record how the order ended; answers with the status that stands."""
        return await self._orders.conclude(conclusion)

    async def _end_link(self, key: str, status: LinkStatus) -> None:
        if not await self._orders.end_link(key, status, activity.info().started_time):
            raise OutcomeUnknown(f"{key} was made while it was looked for")

    def _draft(self, gateway: Gateway, order: Order, wish: LinkOrder, token: str) -> LinkDraft:
        request = LinkRequest(
            order_id=order.order_id,
            key=wish.key,
            amount=order.amount,
            description=f"Order {order.order_id}",
            callback_url=f"{self._public_url}/callbacks/{gateway.name}/{token}",
            # A draft that is sent again just before the deadline must not have grown too old.
            expires_at=wish.closes_at + gateway.capabilities.shortest_link_life,
        )
        return gateway.draft_link(request)

    async def _make_link(
        self, gateway: Gateway, attempt: LinkAttempt, draft: LinkDraft
    ) -> PaymentLink:
        if attempt.repeated and gateway.capabilities.lookup_by_order_id:
            found = await gateway.find_payment_link(draft.key)
            if found:
                return found
        return await gateway.create_payment_link(draft)

    async def _addressed(self, gateway: Gateway, query: LinkQuery) -> LinkQuery | None:
        """The query as this gateway can answer it; None if no link was ever asked for.

        A gateway that cannot look for our key is sent the same draft again where the answer to
        it was lost: it tells what that has made, and never makes a second. If it refuses that,
        the query stays without a reference.
        """
        if query.reference or gateway.capabilities.lookup_by_order_id:
            return query
        stored = await self._orders.stored_link(query.key)
        if stored and stored.link:
            return replace(query, reference=stored.link.reference)
        if stored is None:
            return None
        if stored.draft is None:
            return query
        try:
            link = await gateway.create_payment_link(stored.draft)
        except RequestRefused:
            return query
        await self._orders.keep_link(link)
        return replace(query, reference=link.reference)


def _never_sent(query: LinkQuery) -> PaymentNews:
    evidence = Evidence(EvidenceKind.STATUS_QUERY, f"nothing was sent under {query.key}")
    return PaymentNews(query.gateway, query.order_id, evidence, link=LinkStatus.MISSING)
