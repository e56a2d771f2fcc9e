"""News: what is only a hint, what a query settles, and what makes two events siblings."""

from typing import Any

import pytest

from domain.events import GatewayEvent
from domain.money import Money
from domain.news import Evidence, EvidenceKind, PaymentNews
from domain.payments import LinkStatus, PaymentStatus
from tests.support.fakes import a_payment, hint_for, news_of

CAPTURED = a_payment()


def query(*statuses: PaymentStatus, link: LinkStatus | None) -> PaymentNews:
    payments = [a_payment(status, f"pay_{n}") for n, status in enumerate(statuses)]
    return news_of("ord_1", *payments, kind=EvidenceKind.STATUS_QUERY, link=link)


def event(**said: Any) -> GatewayEvent:
    return GatewayEvent("acme", "evt_1", "payment", Evidence(EvidenceKind.WEBHOOK, "evt_1"), **said)


def test_a_callback_is_a_hint_whatever_it_carries() -> None:
    assert hint_for("ord_1").is_hint
    assert news_of("ord_1", CAPTURED, kind=EvidenceKind.CALLBACK).is_hint


@pytest.mark.parametrize("kind", [k for k in EvidenceKind if k is not EvidenceKind.CALLBACK])
def test_other_news_is_a_hint_only_when_it_is_empty(kind: EvidenceKind) -> None:
    assert news_of("ord_1", kind=kind).is_hint
    assert not news_of("ord_1", CAPTURED, kind=kind).is_hint
    assert not news_of("ord_1", link=LinkStatus.CLOSED, kind=kind).is_hint


@pytest.mark.parametrize("link", [each for each in LinkStatus if each is not LinkStatus.OPEN])
def test_a_query_is_final_once_the_link_has_ended(link: LinkStatus) -> None:
    assert query(link=link).is_final_answer
    assert query(PaymentStatus.FAILED, PaymentStatus.CAPTURED, link=link).is_final_answer
    assert not news_of("ord_1", CAPTURED, link=link).is_final_answer


@pytest.mark.parametrize("link", [LinkStatus.OPEN, None])
def test_a_query_is_not_final_while_the_customer_may_still_try(link: LinkStatus | None) -> None:
    assert not query(PaymentStatus.FAILED, link=link).is_final_answer


@pytest.mark.parametrize("status", ["unknown", "pending", "authorized"])
def test_a_query_is_not_final_while_the_gateway_is_busy(status: str) -> None:
    answer = query(PaymentStatus.FAILED, PaymentStatus(status), link=LinkStatus.CLOSED)
    assert not answer.is_final_answer


def test_siblings_say_the_same_and_news_says_another_thing() -> None:
    said = event(payment=CAPTURED).outcome
    assert event(payment=CAPTURED, link=LinkStatus.PAID).outcome == said
    others = [
        a_payment(PaymentStatus.AUTHORIZED),
        a_payment(reference="pay_2"),
        a_payment(amount=Money(1, "INR")),
        a_payment(amount=Money(49900, "USD")),
    ]
    assert said not in {event(payment=other).outcome for other in others}


def test_an_event_about_a_link_alone_tells_its_status() -> None:
    closed = event(link_reference="plink_1", link=LinkStatus.CLOSED)
    expired = event(link_reference="plink_1", link=LinkStatus.EXPIRED)
    assert closed.outcome != expired.outcome
    assert event(link_reference="plink_1").outcome is None


def test_an_event_becomes_news_of_the_order_it_was_found_to_concern() -> None:
    news = event(payment=CAPTURED, link=LinkStatus.PAID).news("ord_1")
    assert (news.order_id, news.payments, news.link) == ("ord_1", (CAPTURED,), LinkStatus.PAID)
    assert event().news("ord_1").is_hint
