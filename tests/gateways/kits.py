"""What each adapter brings to the conformance suite: its wire, its samples, its signatures."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

import httpx

from domain.disputes import DisputeStatus
from domain.payments import LinkStatus, PaymentStatus
from domain.refunds import RefundStatus
from gateways.base import Gateway
from gateways.bodies import Json
from gateways.paypal import PayPal
from gateways.razorpay import Razorpay
from gateways.stripe import Stripe
from tests.gateways import paypal_samples as paypal
from tests.gateways import razorpay_samples as razorpay
from tests.gateways import stripe_samples as stripe
from tests.gateways.wire import Wire, reply
from tests.support.simulator import Simulator

Tamper = Callable[[str], str]
Delivery = tuple[bytes, dict[str, str]]


@dataclass(frozen=True)
class Said:
    """What a webhook must be understood to say."""

    payment: PaymentStatus | None = None
    link: LinkStatus | None = None
    refund: RefundStatus | None = None
    dispute: DisputeStatus | None = None


Events = Mapping[str, tuple[Json, Said]]


class Kit(Protocol):
    """One gateway, as far as the suite must know it.

    Samples speak of the order `ord_tests` and its first link. `secrets` and `private` are words
    that no log and no error may hold. `tolerance` is how old a signed webhook may be and how far in
    the future, None where the signature covers no time. `silent` are calls that ask nobody.
    """

    name: str
    payment: str
    link: str
    refund: str
    secrets: tuple[str, ...]
    private: tuple[str, ...]
    webhook_secrets: tuple[str, ...]
    now: datetime
    tolerance: tuple[timedelta, timedelta] | None
    silent: frozenset[str]
    events: Events

    def options(self, simulator: Simulator) -> dict[str, Any]:
        """The registry's options for the simulator's dialect."""

    def adapter(self, wire: Wire) -> Gateway:
        """The adapter on a wire, with the kit's secrets and its clock at `now`."""

    def play(self, wire: Wire, status: str | None = None) -> None:
        """Answer every call as documented; with that word as the status of everything, if given."""

    def play_others(self, wire: Wire) -> None:
        """Answer every call properly, but about another link, payment or refund."""

    def event(self, kind: str) -> Json:
        """The body of one of `events`."""

    def signed(
        self, body: bytes, secret: str, at: datetime, tamper: Tamper = lambda signature: signature
    ) -> Delivery:
        """The delivery; `tamper` is applied to the signature before it is put into its header."""


@dataclass
class RazorpayKit:
    name: str = "razorpay"
    payment: str = razorpay.PAYMENT
    link: str = razorpay.LINK
    refund: str = razorpay.REFUND
    secrets: tuple[str, ...] = (razorpay.KEY_SECRET, razorpay.WEBHOOK_SECRET, "secret-before-it")
    private: tuple[str, ...] = (razorpay.EMAIL, razorpay.PHONE)
    webhook_secrets: tuple[str, ...] = (razorpay.WEBHOOK_SECRET, "secret-before-it")
    now: datetime = stripe.NOW
    tolerance: tuple[timedelta, timedelta] | None = None
    silent: frozenset[str] = frozenset({"capture_link"})
    events: Events = field(default_factory=lambda: RAZORPAY_EVENTS)

    def options(self, simulator: Simulator) -> dict[str, Any]:
        return {
            "base_url": simulator.base_url,
            "key_id": simulator.key_id,
            "key_secret": simulator.key_secret,
            "webhook_secrets": [simulator.webhook_secret],
        }

    def adapter(self, wire: Wire) -> Gateway:
        return Razorpay(
            http=wire.client,
            key_id=razorpay.KEY_ID,
            key_secret=razorpay.KEY_SECRET,
            webhook_secrets=self.webhook_secrets,
        )

    def play(self, wire: Wire, status: str | None = None) -> None:
        changes = {"status": status} if status else {}
        link = razorpay.link(order_id=razorpay.GATEWAY_ORDER, **changes)
        payment, refund = razorpay.payment(**changes), razorpay.refund(**changes)
        self._answer(wire, link, payment, refund)

    def play_others(self, wire: Wire) -> None:
        link = razorpay.link(reference_id="another", notes={})
        payment = razorpay.payment(id="pay_another")
        refund = razorpay.refund(id="rfnd_another", receipt="another", notes={})
        self._answer(wire, link, payment, refund)

    def event(self, kind: str) -> Json:
        return razorpay.event(kind, **self.events[kind][0])

    def signed(
        self, body: bytes, secret: str, at: datetime, tamper: Tamper = lambda signature: signature
    ) -> Delivery:
        raw, headers = razorpay.signed(body, secret)
        name = "X-Razorpay-Signature"
        return raw, headers | {name: tamper(headers[name])}

    def _answer(self, wire: Wire, link: Json, payment: Json, refund: Json) -> None:
        wire.on("POST /v1/payment_links", reply(link))
        wire.on(f"GET /v1/payment_links/{self.link}", reply(link))
        wire.on("GET /v1/payment_links", reply(razorpay.links(link)))
        wire.on(f"POST /v1/payment_links/{self.link}/cancel", reply(link))
        payments = razorpay.collection(payment)
        wire.on(f"GET /v1/orders/{razorpay.GATEWAY_ORDER}/payments", reply(payments))
        wire.on(f"POST /v1/payments/{self.payment}/capture", reply(payment))
        wire.on(f"GET /v1/payments/{self.payment}", reply(payment))
        wire.on(f"POST /v1/payments/{self.payment}/refund", reply(refund))
        refunds, end = razorpay.collection(refund), razorpay.collection()
        wire.on(f"GET /v1/payments/{self.payment}/refunds", reply(refunds), reply(end))
        wire.on(f"GET /v1/refunds/{self.refund}", reply(refund))


@dataclass
class StripeKit:
    name: str = "stripe"
    payment: str = stripe.INTENT
    link: str = stripe.SESSION
    refund: str = stripe.REFUND
    secrets: tuple[str, ...] = (stripe.SECRET_KEY, stripe.WEBHOOK_SECRET, stripe.OLD_SECRET)
    private: tuple[str, ...] = (stripe.EMAIL, stripe.NAME)
    webhook_secrets: tuple[str, ...] = (stripe.WEBHOOK_SECRET, stripe.OLD_SECRET)
    now: datetime = stripe.NOW
    tolerance: tuple[timedelta, timedelta] | None = (timedelta(seconds=300),) * 2
    silent: frozenset[str] = frozenset({"capture_link"})
    events: Events = field(default_factory=lambda: STRIPE_EVENTS)

    def options(self, simulator: Simulator) -> dict[str, Any]:
        return {
            "base_url": simulator.stripe_url,
            "secret_key": simulator.stripe_key,
            "webhook_secrets": list(simulator.stripe_webhook_secrets),
        }

    def adapter(self, wire: Wire) -> Gateway:
        return Stripe(
            http=wire.client,
            secret_key=stripe.SECRET_KEY,
            webhook_secrets=self.webhook_secrets,
            clock=lambda: self.now,
        )

    def play(self, wire: Wire, status: str | None = None) -> None:
        changes = {"status": status} if status else {}
        session = stripe.session(payment_intent=stripe.INTENT, **changes)
        intent, refund = stripe.intent(**changes), stripe.refund(**changes)
        self._answer(wire, session, intent, refund)

    def play_others(self, wire: Wire) -> None:
        session = stripe.session(id="cs_another", metadata={"wire_key": "another"})
        intent = stripe.intent(id="pi_another")
        refund = stripe.refund(id="re_another", metadata={"refund_id": "another"})
        self._answer(wire, session, intent, refund)

    def event(self, kind: str) -> Json:
        return stripe.event(kind, self.events[kind][0])

    def signed(
        self, body: bytes, secret: str, at: datetime, tamper: Tamper = lambda signature: signature
    ) -> Delivery:
        raw, headers = stripe.signed(body, secret, at=at)
        time, _, signature = headers["Stripe-Signature"].partition(",v1=")
        return raw, {"Stripe-Signature": f"{time},v1={tamper(signature)}"}

    def _answer(self, wire: Wire, session: Json, intent: Json, refund: Json) -> None:
        wire.on("POST /v1/checkout/sessions", reply(session))
        wire.on("GET /v1/checkout/sessions", reply(stripe.listed(session)))
        wire.on(f"GET /v1/checkout/sessions/{self.link}", reply(session))
        wire.on(f"POST /v1/checkout/sessions/{self.link}/expire", reply(session))
        wire.on(f"GET /v1/payment_intents/{self.payment}", reply(intent))
        wire.on(f"POST /v1/payment_intents/{self.payment}/capture", reply(intent))
        wire.on("GET /v1/charges", reply(stripe.listed(stripe.charge())))
        wire.on("POST /v1/refunds", reply(refund))
        wire.on("GET /v1/refunds", reply(stripe.listed(refund)))
        wire.on(f"GET /v1/refunds/{self.refund}", reply(refund))


@dataclass
class PayPalKit:
    name: str = "paypal"
    payment: str = paypal.CAPTURE
    link: str = paypal.ORDER
    refund: str = paypal.REFUND
    secrets: tuple[str, ...] = (paypal.CLIENT_SECRET, paypal.TOKEN)
    private: tuple[str, ...] = (paypal.EMAIL, paypal.PAYER)
    webhook_secrets: tuple[str, ...] = (paypal.WEBHOOK_ID, paypal.OLD_WEBHOOK_ID)
    now: datetime = paypal.NOW
    tolerance: tuple[timedelta, timedelta] | None = (
        timedelta(days=3, hours=12),
        timedelta(minutes=5),
    )
    silent: frozenset[str] = frozenset({"close"})
    events: Events = field(default_factory=lambda: PAYPAL_EVENTS)

    def options(self, simulator: Simulator) -> dict[str, Any]:
        return {
            "base_url": simulator.paypal_url,
            "client_id": simulator.paypal_client_id,
            "client_secret": simulator.paypal_client_secret,
            "webhook_ids": [simulator.paypal_webhook_id],
            "certificates_at": simulator.paypal_url,
            "ca": simulator.paypal_ca,
        }

    def adapter(self, wire: Wire) -> Gateway:
        """With a token, so that what fails is the call and not the way to it."""
        certificate = httpx.Response(200, content=paypal.SIGNER.certificate)
        wire.on(f"GET {paypal.CERT}", certificate)
        gateway = PayPal(
            http=wire.client,
            client_id=paypal.CLIENT_ID,
            client_secret=paypal.CLIENT_SECRET,
            webhook_ids=self.webhook_secrets,
            ca=paypal.SIGNER.root.decode(),
            clock=lambda: self.now,
        )
        gateway._token._text = paypal.TOKEN
        gateway._token._ends = self.now + timedelta(hours=9)
        return gateway

    def play(self, wire: Wire, status: str | None = None) -> None:
        changes = {"status": status} if status else {}
        capture, refund = paypal.capture(**changes), paypal.refund(**changes)
        order = paypal.order(**changes)
        order["purchase_units"][0]["payments"] = {"captures": [capture], "refunds": [refund]}
        self._answer(wire, order, capture, refund)

    def play_others(self, wire: Wire) -> None:
        order = paypal.order(id="ANOTHERORDER")
        refund = paypal.refund(id="ANOTHERREFUND", custom_id="another", invoice_id="another")
        unit = {"invoice_id": "another", "payments": {"refunds": [refund]}}
        order["purchase_units"][0] |= unit
        self._answer(wire, order, paypal.capture(id="ANOTHERCAPTURE"), refund)

    def event(self, kind: str) -> Json:
        return paypal.event(kind, self.events[kind][0])

    def signed(
        self, body: bytes, secret: str, at: datetime, tamper: Tamper = lambda signature: signature
    ) -> Delivery:
        headers = paypal.signed(body, secret, at)
        name = "PAYPAL-TRANSMISSION-SIG"
        return body, headers | {name: tamper(headers[name])}

    def _answer(self, wire: Wire, order: Json, capture: Json, refund: Json) -> None:
        wire.on("POST /v2/checkout/orders", reply(order, 201))
        wire.on(f"GET /v2/checkout/orders/{self.link}", reply(order))
        wire.on(f"POST /v2/checkout/orders/{self.link}/capture", reply(order, 201))
        wire.on(f"GET /v2/payments/captures/{self.payment}", reply(capture))
        wire.on(f"POST /v2/payments/captures/{self.payment}/refund", reply(refund, 201))
        wire.on(f"GET /v2/payments/refunds/{self.refund}", reply(refund))


CAPTURED, FAILED = PaymentStatus.CAPTURED, PaymentStatus.FAILED
PENDING, AUTHORIZED = PaymentStatus.PENDING, PaymentStatus.AUTHORIZED

PAYMENT, LINK = {"payment": razorpay.payment()}, {"payment_link": razorpay.link()}
RAZORPAY_EVENTS: Events = {
    "payment.authorized": (
        {"payment": razorpay.payment(status="authorized", captured=False)},
        Said(payment=AUTHORIZED),
    ),
    "payment.captured": (PAYMENT, Said(payment=CAPTURED)),
    "payment.failed": ({"payment": razorpay.failed()}, Said(payment=FAILED)),
    "order.paid": (PAYMENT, Said(payment=CAPTURED)),
    "payment_link.paid": (PAYMENT | LINK, Said(payment=CAPTURED, link=LinkStatus.PAID)),
    "payment_link.partially_paid": (PAYMENT | LINK, Said(payment=CAPTURED, link=LinkStatus.OPEN)),
    "payment_link.cancelled": (LINK, Said(link=LinkStatus.CLOSED)),
    "payment_link.expired": (LINK, Said(link=LinkStatus.EXPIRED)),
    "refund.created": (
        {"refund": razorpay.refund(status="pending")},
        Said(refund=RefundStatus.PENDING),
    ),
    "refund.processed": ({"refund": razorpay.refund()}, Said(refund=RefundStatus.SUCCEEDED)),
    "refund.failed": (
        {"refund": razorpay.refund(status="failed")},
        Said(refund=RefundStatus.FAILED),
    ),
    "payment.dispute.created": (
        {"dispute": razorpay.dispute()},
        Said(dispute=DisputeStatus.OPEN),
    ),
    "payment.dispute.won": (
        {"dispute": razorpay.dispute(status="won")},
        Said(dispute=DisputeStatus.WON),
    ),
    "payment.dispute.lost": (
        {"dispute": razorpay.dispute(status="lost")},
        Said(dispute=DisputeStatus.LOST),
    ),
    "settlement.processed": ({"settlement": {"id": "setl_1"}}, Said()),
}

UNPAID = stripe.paid_session(payment_status="unpaid")
EXPIRED = stripe.session(status="expired", url=None)
HELD = stripe.intent(status="requires_capture", amount_received=0)
STRIPE_EVENTS: Events = {
    "checkout.session.completed": (
        stripe.paid_session(),
        Said(payment=CAPTURED, link=LinkStatus.PAID),
    ),
    "checkout.session.async_payment_succeeded": (
        stripe.paid_session(),
        Said(payment=CAPTURED, link=LinkStatus.PAID),
    ),
    "checkout.session.async_payment_failed": (
        UNPAID,
        Said(payment=FAILED, link=LinkStatus.CLOSED),
    ),
    "checkout.session.expired": (EXPIRED, Said(link=LinkStatus.EXPIRED)),
    "payment_intent.succeeded": (stripe.intent(), Said(payment=CAPTURED)),
    "payment_intent.amount_capturable_updated": (HELD, Said(payment=AUTHORIZED)),
    "payment_intent.processing": (stripe.intent(status="processing"), Said(payment=PENDING)),
    "payment_intent.requires_action": (
        stripe.intent(status="requires_action"),
        Said(payment=PENDING),
    ),
    "payment_intent.payment_failed": (stripe.idle(), Said(payment=FAILED)),
    "payment_intent.canceled": (
        stripe.intent(status="canceled"),
        Said(payment=PaymentStatus.CANCELED),
    ),
    "payment_intent.created": (stripe.intent(status="requires_confirmation"), Said()),
    "charge.succeeded": (stripe.charge(), Said(payment=CAPTURED)),
    "charge.captured": (stripe.charge(), Said(payment=CAPTURED)),
    "charge.failed": (stripe.failed_charge(), Said()),
    "charge.updated": (stripe.charge(), Said()),
    "charge.refunded": (stripe.charge(amount_refunded=49900), Said()),
    "refund.created": (stripe.refund(status="pending"), Said(refund=RefundStatus.PENDING)),
    "refund.updated": (stripe.refund(), Said(refund=RefundStatus.SUCCEEDED)),
    "refund.failed": (stripe.refund(status="failed"), Said(refund=RefundStatus.FAILED)),
    "charge.refund.updated": (stripe.refund(), Said(refund=RefundStatus.SUCCEEDED)),
    "charge.dispute.created": (stripe.dispute(), Said(dispute=DisputeStatus.OPEN)),
    "charge.dispute.updated": (
        stripe.dispute(status="under_review"),
        Said(dispute=DisputeStatus.OPEN),
    ),
    "charge.dispute.closed": (stripe.dispute(status="lost"), Said(dispute=DisputeStatus.LOST)),
    "charge.dispute.funds_reinstated": (
        stripe.dispute(status="won"),
        Said(dispute=DisputeStatus.WON),
    ),
    "payout.paid": ({"id": "po_1", "object": "payout"}, Said()),
    "v2.never.heard.of": ({"id": "x_1"}, Said()),
}

PAYPAL_EVENTS: Events = {
    "CHECKOUT.ORDER.APPROVED": (paypal.unpaid("APPROVED"), Said(link=LinkStatus.OPEN)),
    "CHECKOUT.ORDER.COMPLETED": (paypal.order(), Said(payment=CAPTURED, link=LinkStatus.PAID)),
    "CHECKOUT.PAYMENT-APPROVAL.REVERSED": (
        {"order_id": paypal.ORDER},
        Said(link=LinkStatus.CLOSED),
    ),
    "PAYMENT.CAPTURE.COMPLETED": (paypal.capture(), Said(payment=CAPTURED)),
    "PAYMENT.CAPTURE.PENDING": (paypal.capture(status="PENDING"), Said(payment=PENDING)),
    "PAYMENT.CAPTURE.DECLINED": (paypal.capture(status="DECLINED"), Said(payment=FAILED)),
    "PAYMENT.CAPTURE.DENIED": (paypal.capture(status="DENIED"), Said(payment=FAILED)),
    "PAYMENT.CAPTURE.REFUNDED": (paypal.refund(), Said(refund=RefundStatus.SUCCEEDED)),
    "PAYMENT.CAPTURE.REVERSED": (
        paypal.refund(custom_id="PayPal's", invoice_id="own"),
        Said(refund=RefundStatus.SUCCEEDED),
    ),
    "PAYMENT.REFUND.PENDING": (
        paypal.refund(status="PENDING"),
        Said(refund=RefundStatus.PENDING),
    ),
    "PAYMENT.REFUND.FAILED": (paypal.refund(status="FAILED"), Said(refund=RefundStatus.FAILED)),
    "CUSTOMER.DISPUTE.CREATED": (paypal.dispute(), Said(dispute=DisputeStatus.OPEN)),
    "CUSTOMER.DISPUTE.UPDATED": (
        paypal.resolved("BRAND_NEW"),
        Said(dispute=DisputeStatus.OPEN),
    ),
    "CUSTOMER.DISPUTE.RESOLVED": (
        paypal.resolved("RESOLVED_BUYER_FAVOUR"),
        Said(dispute=DisputeStatus.LOST),
    ),
    "BILLING.SUBSCRIPTION.CREATED": ({"id": "I-1"}, Said()),
}

KITS: Mapping[str, Kit] = {kit.name: kit for kit in (RazorpayKit(), StripeKit(), PayPalKit())}


def raw(body: Json) -> bytes:
    """A body as gateways write it."""
    return json.dumps(body).encode()
