"""Lending gateways out to activities."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from domain.errors import GatewayUnavailable
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
