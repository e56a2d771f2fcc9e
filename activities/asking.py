"""Lending gateways out to activities, and what several of them do there."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from domain.checkouts import LinkQuery
from domain.errors import GatewayUnavailable
from domain.news import PaymentNews
from domain.payments import LinkStatus
from gateways.base import Gateway


@contextmanager
def asking(gateways: Mapping[str, Gateway], name: str) -> Iterator[Gateway]:
    """Lend the gateway out, and pass its Retry-After on to Temporal."""
    try:
        if name not in gateways:
            raise GatewayUnavailable(f"no keys are set for {name}")
        yield gateways[name]
    except GatewayUnavailable as error:
        raise ApplicationError(
            str(error),
            type=GatewayUnavailable.__name__,
            next_retry_delay=error.retry_after,
            category=ApplicationErrorCategory.BENIGN,
        ) from error


async def closed(gateway: Gateway, query: LinkQuery) -> PaymentNews:
    """End the link, then ask; once it has ended, the answer can be final.

    Where we take the money ourselves, a link is powerless as soon as nobody does any more.
    """
    await gateway.close_payment_link(query)
    news = await gateway.ask(query)
    if gateway.capabilities.needs_capture and news.link and news.link.is_live:
        return replace(news, link=LinkStatus.CLOSED, awaits_capture=False)
    return news
