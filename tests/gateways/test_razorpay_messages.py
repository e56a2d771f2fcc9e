"""What Razorpay sends by itself: callbacks through the browser, and webhooks."""

import hmac
import json
import traceback
from hashlib import sha256
from typing import Any

import pytest

from domain.disputes import DisputeStatus
from domain.errors import BadSignature, MessageNotUnderstood
from domain.money import Money
from domain.news import EvidenceKind
from domain.payments import LinkStatus, PaymentStatus
from domain.refunds import RefundStatus
from gateways.bodies import Json
from gateways.razorpay import Razorpay
from tests.gateways import razorpay_samples as sample
from tests.gateways.razorpay_samples import LINK, ORDER, PAYMENT, REFERENCE, event, signed
from tests.gateways.wire import Wire

CALLBACK = {
    "razorpay_payment_id": "pay_IH3d0ara9bSsjQ",
    "razorpay_payment_link_id": "plink_IH3cNucfVEgV68",
    "razorpay_payment_link_reference_id": "TSsd1989",
    "razorpay_payment_link_status": "paid",
    "razorpay_signature": "07ae18789e35093e51d0a491eb9922646f3f82773547e5b0f67ee3f2d3bf7d5b",
}
CALLBACK_SECRET = "EnLs21M47BllR3X8PSFtjtbd"


def adapter(wire: Wire, *webhook_secrets: str, key_secret: str = sample.KEY_SECRET) -> Razorpay:
    return Razorpay(
        http=wire.client,
        key_id=sample.KEY_ID,
        key_secret=key_secret,
        webhook_secrets=webhook_secrets,
    )


@pytest.fixture
def razorpay(wire: Wire) -> Razorpay:
    return adapter(wire, sample.WEBHOOK_SECRET, key_secret=CALLBACK_SECRET)


def test_the_published_callback_is_read(razorpay: Razorpay) -> None:
    callback = razorpay.read_callback(CALLBACK | {"extra": "ignored"})
    assert callback.wire_key == "TSsd1989"
    assert callback.link_reference == "plink_IH3cNucfVEgV68"
    assert callback.payment_reference == "pay_IH3d0ara9bSsjQ"
    message = b"plink_IH3cNucfVEgV68|TSsd1989|paid|pay_IH3d0ara9bSsjQ"
    assert callback.digest == sha256(message).hexdigest()


@pytest.mark.parametrize("name", CALLBACK)
def test_a_callback_without_one_of_its_parameters_is_forged(razorpay: Razorpay, name: str) -> None:
    rest = {other: value for other, value in CALLBACK.items() if other != name}
    with pytest.raises(BadSignature):
        razorpay.read_callback(rest)


@pytest.mark.parametrize("value", ["", "x", "é", "\udce9", "a|b"])
@pytest.mark.parametrize("name", CALLBACK)
def test_a_callback_with_another_value_is_forged(razorpay: Razorpay, name: str, value: str) -> None:
    with pytest.raises(BadSignature):
        razorpay.read_callback(CALLBACK | {name: value})


@pytest.mark.parametrize("secret", ["", "another"])
def test_a_callback_needs_the_secret_of_the_key(wire: Wire, secret: str) -> None:
    with pytest.raises(BadSignature):
        adapter(wire, CALLBACK_SECRET, key_secret=secret).read_callback(CALLBACK)


def captured(**changes: Any) -> dict[str, Json]:
    return {"payment": sample.payment(**changes)}


def paid_link(**changes: Any) -> dict[str, Json]:
    """With the order as Razorpay puts it there: an id without its prefix."""
    order = {"id": "Bb2", "receipt": REFERENCE, "amount_paid": 49900, "notes": []}
    link = sample.link(status="paid", amount_paid=49900, order_id=sample.GATEWAY_ORDER)
    return {"payment_link": link, "order": order, **captured(**changes)}


EVENTS: list[tuple[str, dict[str, Json], PaymentStatus | None, LinkStatus | None]] = [
    ("payment_link.paid", paid_link(), PaymentStatus.CAPTURED, LinkStatus.PAID),
    ("payment_link.partially_paid", paid_link(), PaymentStatus.CAPTURED, LinkStatus.OPEN),
    ("payment.captured", captured(), PaymentStatus.CAPTURED, None),
    ("order.paid", captured(), PaymentStatus.CAPTURED, None),
    ("payment.authorized", captured(status="authorized"), PaymentStatus.AUTHORIZED, None),
    ("payment.failed", {"payment": sample.failed()}, PaymentStatus.FAILED, None),
    ("payment_link.cancelled", {"payment_link": sample.link()}, None, LinkStatus.CLOSED),
    ("payment_link.expired", {"payment_link": sample.link()}, None, LinkStatus.EXPIRED),
    ("refund.processed", captured() | {"refund": sample.refund()}, None, None),
    ("refund.speed_changed", captured() | {"refund": {"id": "rfnd_1"}}, None, None),
    ("payment.dispute.created", captured() | {"dispute": sample.dispute()}, None, None),
    ("settlement.processed", {"settlement": {"id": "setl_1"}}, None, None),
]


@pytest.mark.parametrize(("kind", "entities", "status", "link"), EVENTS)
async def test_every_kind_of_webhook_is_translated(
    razorpay: Razorpay,
    kind: str,
    entities: dict[str, Json],
    status: PaymentStatus | None,
    link: LinkStatus | None,
) -> None:
    body, headers = signed(event(kind, **entities))
    read = await razorpay.read_webhook(body, headers)
    assert (read.gateway, read.kind, read.event_id) == ("razorpay", kind, "Ee5")
    assert (read.payment.status if read.payment else None, read.link) == (status, link)
    assert read.evidence.kind is EvidenceKind.WEBHOOK
    assert read.evidence.digest == sha256(body).hexdigest()
    assert read.evidence.reference == "Ee5"
    assert read.order_id == (None if kind == "settlement.processed" else ORDER)


def refunded(kind: str, **changes: Any) -> bytes:
    """As Razorpay sends it, with the payment beside the refund."""
    payment = sample.payment(status="refunded", amount_refunded=10000)
    return json.dumps(event(kind, refund=sample.refund(**changes), payment=payment)).encode()


REFUND_STATUSES = {
    "pending": RefundStatus.PENDING,
    "processed": RefundStatus.SUCCEEDED,
    "failed": RefundStatus.FAILED,
    "reversed": RefundStatus.FAILED,
    "speeding": RefundStatus.PENDING,
}


@pytest.mark.parametrize("kind", ["refund.created", "refund.processed", "refund.failed"])
@pytest.mark.parametrize(("word", "status"), REFUND_STATUSES.items())
async def test_the_status_of_a_refund_is_what_the_refund_says(
    razorpay: Razorpay, kind: str, word: str, status: RefundStatus
) -> None:
    """Its creation may be told when it was processed already."""
    read = await razorpay.read_webhook(*signed(refunded(kind, status=word)))
    assert read.refund
    assert (read.refund.gateway, read.refund.reference) == ("razorpay", sample.REFUND)
    assert (read.refund.refund_id, read.order_id) == (sample.REFUND_ID, ORDER)
    assert (read.refund.status, read.refund.evidence) == (status, read.evidence)
    assert (read.refund.payment_reference, read.refund.amount) == (PAYMENT, Money(10000, "INR"))
    assert read.refund.failure == (word if status is RefundStatus.FAILED else None)
    assert (read.payment, read.link, read.dispute) == (None, None, None)
    assert read.outcome == f"{sample.REFUND}:{status}"


@pytest.mark.parametrize(
    ("names", "refund_id"),
    [
        ({"receipt": None}, sample.REFUND_ID),
        ({"notes": []}, sample.REFUND_ID),
        ({"receipt": "Receipt No. 31"}, sample.REFUND_ID),
        ({"receipt": "Receipt No. 31", "notes": []}, None),
        ({"receipt": None, "notes": None}, None),
        ({"receipt": None, "notes": {"refund_id": "R31"}}, None),
        ({"receipt": [], "notes": {"refund_id": 31}}, None),
    ],
)
async def test_only_a_refund_that_we_asked_for_has_our_id(
    razorpay: Razorpay, names: Json, refund_id: str | None
) -> None:
    read = await razorpay.read_webhook(*signed(refunded("refund.processed", **names)))
    assert read.refund
    assert (read.refund.refund_id, read.refund.reference) == (refund_id, sample.REFUND)


async def test_the_order_of_a_refund_is_noted_on_the_refund_too(razorpay: Razorpay) -> None:
    body = event("refund.created", refund=sample.refund(), payment=sample.payment(notes=[]))
    assert (await razorpay.read_webhook(*signed(body))).order_id == ORDER


async def test_a_refund_that_changes_its_speed_says_nothing(razorpay: Razorpay) -> None:
    read = await razorpay.read_webhook(*signed(refunded("refund.speed_changed")))
    assert (read.kind, read.order_id, read.outcome) == ("refund.speed_changed", ORDER, None)


DISPUTES: list[tuple[str, Json, DisputeStatus]] = [
    ("created", {}, DisputeStatus.OPEN),
    ("under_review", {"status": "under_review"}, DisputeStatus.OPEN),
    ("action_required", {}, DisputeStatus.OPEN),
    ("won", {"status": "won"}, DisputeStatus.WON),
    ("lost", {"status": "lost", "amount_deducted": 39000}, DisputeStatus.LOST),
    ("closed", {"status": "closed", "phase": "fraud"}, DisputeStatus.WON),
    ("closed", {"status": "closed", "amount_deducted": None}, DisputeStatus.WON),
    ("closed", {"status": "closed", "amount_deducted": 1}, DisputeStatus.LOST),
    ("closed", {"status": "lost"}, DisputeStatus.LOST),
    ("arbitrated", {"status": "pondered"}, DisputeStatus.OPEN),
]


@pytest.mark.parametrize(("kind", "changes", "status"), DISPUTES)
async def test_a_dispute_is_told_by_itself(
    razorpay: Razorpay, kind: str, changes: Json, status: DisputeStatus
) -> None:
    entities = {"payment": sample.payment(), "dispute": sample.dispute(**changes)}
    read = await razorpay.read_webhook(*signed(event(f"payment.dispute.{kind}", **entities)))
    assert read.dispute
    assert (read.dispute.gateway, read.dispute.reference) == ("razorpay", sample.DISPUTE)
    assert (read.dispute.payment_reference, read.order_id) == (PAYMENT, ORDER)
    assert (read.dispute.status, read.dispute.amount) == (status, Money(39000, "INR"))
    assert read.dispute.reason == "goods_or_services_not_received"
    assert read.dispute.evidence == read.evidence
    assert (read.payment, read.link, read.refund) == (None, None, None)
    assert read.outcome == f"{sample.DISPUTE}:{status}"


@pytest.mark.parametrize("code", [None, "", 7, f"{sample.EMAIL} never got it"])
async def test_the_reason_of_a_dispute_is_a_word_or_none(razorpay: Razorpay, code: Any) -> None:
    body = event("payment.dispute.created", dispute=sample.dispute(reason_code=code))
    read = await razorpay.read_webhook(*signed(body))
    assert read.dispute
    assert (read.dispute.reason, read.order_id) == (None, None)


async def test_a_paid_link_carries_all_that_proves_the_payment(razorpay: Razorpay) -> None:
    read = await razorpay.read_webhook(
        *signed(event("payment_link.paid", **paid_link(amount=49800)))
    )
    assert (read.order_id, read.reference, read.link_reference) == (ORDER, REFERENCE, LINK)
    assert read.payment
    assert read.payment.reference == PAYMENT
    assert read.payment.amount == Money(49800, "INR")
    assert (read.payment.method, read.payment.failure) == ("upi", None)


async def test_a_failed_payment_says_why_in_one_word(razorpay: Razorpay) -> None:
    read = await razorpay.read_webhook(*signed(event("payment.failed", payment=sample.failed())))
    assert read.payment
    assert read.payment.failure == "payment_timed_out"


async def test_the_four_events_of_one_payment_say_the_same(razorpay: Razorpay) -> None:
    siblings = [("payment.captured", captured()), ("payment_link.paid", paid_link())]
    siblings.append(("order.paid", captured() | {"order": {"receipt": REFERENCE}}))
    read = [await razorpay.read_webhook(*signed(event(kind, **body))) for kind, body in siblings]
    assert len({each.outcome for each in read}) == 1
    assert len({each.payment for each in read}) == 1


@pytest.mark.parametrize("empty", [[], None, {}, "", {"order_id": None}, {"order_id": 7}])
async def test_without_our_notes_the_reference_remains(razorpay: Razorpay, empty: Any) -> None:
    entities = paid_link(notes=empty)
    entities["payment_link"]["notes"] = empty
    read = await razorpay.read_webhook(*signed(event("payment_link.paid", **entities)))
    assert (read.order_id, read.reference) == (None, REFERENCE)


async def test_the_receipt_of_the_order_is_our_reference_too(razorpay: Razorpay) -> None:
    entities = captured(notes=[]) | {"order": {"receipt": REFERENCE, "id": "Bb2"}}
    read = await razorpay.read_webhook(*signed(event("order.paid", **entities)))
    assert (read.reference, read.link_reference) == (REFERENCE, None)


@pytest.mark.parametrize("nothing", [[], None])
async def test_entities_may_be_empty_lists(razorpay: Razorpay, nothing: Any) -> None:
    body = event("payment.captured", **captured())
    body["payload"] |= {"order": nothing, "payment_link": {"entity": nothing}}
    read = await razorpay.read_webhook(*signed(body))
    assert read.payment
    assert read.reference is None


@pytest.mark.parametrize("name", ["x-razorpay-", "X-Razorpay-", "X-RAZORPAY-"])
async def test_headers_have_no_case(razorpay: Razorpay, name: str) -> None:
    body, headers = signed(event("payment.captured", **captured()))
    same = {name + header.split("-", 2)[2]: value for header, value in headers.items()}
    assert (await razorpay.read_webhook(body, same)).event_id == "Ee5"


@pytest.mark.parametrize("event_id", [None, "", "a b", "é", "x" * 65, "1\n2"])
async def test_without_a_sound_event_id_the_digest_stands_in(
    razorpay: Razorpay, event_id: str | None
) -> None:
    body, headers = signed(event("payment.captured", **captured()))
    del headers["X-Razorpay-Event-Id"]
    if event_id is not None:
        headers["X-Razorpay-Event-Id"] = event_id
    read = await razorpay.read_webhook(body, headers)
    assert read.event_id == read.evidence.reference == sha256(body).hexdigest()


async def test_while_the_secret_changes_both_are_valid(wire: Wire) -> None:
    body = event("payment.captured", **captured())
    changing = adapter(wire, "old", "new")
    for secret in ("old", "new"):
        assert (await changing.read_webhook(*signed(body, secret))).payment
    with pytest.raises(BadSignature):
        await changing.read_webhook(*signed(body, "older"))


@pytest.mark.parametrize("secrets", [(), ("",), ("", "")])
async def test_without_a_secret_no_webhook_is_believed(
    wire: Wire, secrets: tuple[str, ...]
) -> None:
    with pytest.raises(BadSignature):
        await adapter(wire, *secrets).read_webhook(*signed(b"{}", ""))


async def test_the_api_secret_signs_no_webhook(razorpay: Razorpay) -> None:
    with pytest.raises(BadSignature):
        await razorpay.read_webhook(
            *signed(event("payment.captured", **captured()), CALLBACK_SECRET)
        )


async def test_the_signature_is_of_the_bytes_and_not_of_what_they_mean(razorpay: Razorpay) -> None:
    body, headers = signed(event("payment.captured", **captured()))
    with pytest.raises(BadSignature):
        await razorpay.read_webhook(json.dumps(json.loads(body), indent=1).encode(), headers)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b"[" * 100_000])
async def test_an_unsigned_body_is_not_even_parsed(razorpay: Razorpay, body: bytes) -> None:
    with pytest.raises(BadSignature):
        await razorpay.read_webhook(body, {"X-Razorpay-Signature": "0" * 64})
    with pytest.raises(BadSignature):
        await razorpay.read_webhook(body, {})


def broken(kind: str = "payment_link.paid", **changes: Any) -> bytes:
    return json.dumps(event(kind, **paid_link()) | changes).encode()


def disputed(**changes: Any) -> bytes:
    return json.dumps(event("payment.dispute.won", dispute=sample.dispute(**changes))).encode()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff",
        b"{}",
        b"[" * 100_000,
        broken(event=None),
        broken(event=7),
        broken(payload=None),
        broken(payload=[]),
        broken(payload={}),
        broken(payload={"payment_link": {"entity": sample.link()}}),
        broken(payload={"payment": {"entity": sample.payment()}}),
        broken(payload={"payment_link": {}, "payment": {"entity": sample.payment(id=None)}}),
        broken(kind="payment.captured", payload={"payment": {"entity": []}}),
        broken(payload={"payment": {"entity": sample.payment(amount=49900.0)}}),
        broken(payload={"payment": {"entity": sample.payment(currency="₹")}}),
        broken(kind="payment_link.expired", payload={"payment_link": {"entity": {}}}),
        broken(kind="refund.created"),
        broken(kind="payment.dispute.lost"),
        refunded("refund.processed", id=None),
        refunded("refund.processed", payment_id=None),
        refunded("refund.processed", status=None),
        refunded("refund.processed", amount=100.0),
        refunded("refund.processed", currency=None),
        disputed(id=7),
        disputed(payment_id=None),
        disputed(status=[]),
        disputed(amount="390.00"),
        disputed(currency="₹"),
    ],
)
async def test_a_signed_body_of_another_shape_is_not_understood(
    razorpay: Razorpay, body: bytes
) -> None:
    with pytest.raises(MessageNotUnderstood):
        await razorpay.read_webhook(*signed(body))


async def test_no_error_tells_who_paid_or_any_secret(razorpay: Razorpay) -> None:
    body = broken(payload={"payment": {"entity": sample.payment(amount="49900")}})
    with pytest.raises(MessageNotUnderstood) as misread:
        await razorpay.read_webhook(*signed(body))
    with pytest.raises(BadSignature) as forged:
        await razorpay.read_webhook(body, {"X-Razorpay-Signature": "0" * 64})
    told = "".join(traceback.format_exception(misread.value))
    told += "".join(traceback.format_exception(forged.value))
    right = hmac.new(sample.WEBHOOK_SECRET.encode(), body, "sha256").hexdigest()
    private = [sample.EMAIL, sample.PHONE, sample.WEBHOOK_SECRET, CALLBACK_SECRET, right]
    assert not [word for word in private if word in told]
