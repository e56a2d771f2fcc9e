"""Temporal as seen from here: it answers, or it is away."""

from collections.abc import Iterator
from contextlib import contextmanager

from temporalio.service import RetryConfig, RPCError

# Whoever waits for an answer over HTTP is better told soon to come again.
RETRIES = RetryConfig(max_elapsed_time_millis=4000)


class TemporalUnavailable(Exception):
    """Temporal is away or busy: nothing is lost, and the call may be repeated."""


@contextmanager
def reached() -> Iterator[None]:
    """Raise `TemporalUnavailable` for the several errors that mean it."""
    try:
        yield
    except RPCError as error:
        raise TemporalUnavailable(error.status.name) from error
    except RuntimeError as error:
        # A lazy client that cannot connect has no error class of its own.
        raise TemporalUnavailable("not connected") from error
