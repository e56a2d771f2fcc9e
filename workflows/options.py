"""Timeouts, retries and names that the workflows share."""

from datetime import timedelta
from typing import Any

from temporalio.common import (
    RetryPolicy,
    SearchAttributeKey,
    SearchAttributePair,
    TypedSearchAttributes,
)
from temporalio.exceptions import ActivityError, ApplicationError
from temporalio.workflow import ActivityCancellationType, ActivityConfig

from domain.errors import (
    FileRefused,
    KeyReused,
    MailRefused,
    OrderNotFound,
    RefundNotFound,
    RefundRefused,
    RequestRefused,
)
from domain.money import Money
from domain.orders import OrderStatus

ORDER_STATUS = SearchAttributeKey.for_keyword("OrderStatus")
GATEWAY = SearchAttributeKey.for_keyword("Gateway")
AMOUNT_MINOR = SearchAttributeKey.for_int("AmountMinor")
CURRENCY = SearchAttributeKey.for_keyword("Currency")
SEARCH_ATTRIBUTES = (ORDER_STATUS, GATEWAY, AMOUNT_MINOR, CURRENCY)


def at_the_start(gateway: str, amount: Money) -> TypedSearchAttributes:
    """What a checkout is found by from its first moment on."""
    attributes: list[SearchAttributePair[Any]] = [
        SearchAttributePair(ORDER_STATUS, OrderStatus.AWAITING_PAYMENT.value),
        SearchAttributePair(GATEWAY, gateway),
        SearchAttributePair(AMOUNT_MINOR, amount.minor),
        SearchAttributePair(CURRENCY, amount.currency),
    ]
    return TypedSearchAttributes(attributes)


HEARTBEAT = timedelta(seconds=5)
ONE_CALL = timedelta(seconds=45)
# A worker that dies while it decides is given up after this; Temporal's own 10 s are too long.
DECISION = timedelta(seconds=5)
FINAL_ERRORS = [RequestRefused.__name__, OrderNotFound.__name__]

LINK: ActivityConfig = {
    "start_to_close_timeout": ONE_CALL,
    "heartbeat_timeout": HEARTBEAT,
    "retry_policy": RetryPolicy(
        initial_interval=timedelta(seconds=1),
        maximum_interval=timedelta(seconds=30),
        non_retryable_error_types=FINAL_ERRORS,
    ),
    # Whatever the last attempt did must be over before the link is looked for and closed.
    "cancellation_type": ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
}
ONE_TRY: ActivityConfig = {
    **LINK,
    # What became of each attempt must be known: it decides whether another gateway may be asked.
    "retry_policy": RetryPolicy(maximum_attempts=1),
}
QUERY: ActivityConfig = {
    "start_to_close_timeout": ONE_CALL,
    "heartbeat_timeout": HEARTBEAT,
    "retry_policy": RetryPolicy(maximum_attempts=2, non_retryable_error_types=FINAL_ERRORS),
}
QUERY_UNTIL_ANSWERED: ActivityConfig = {
    **QUERY,
    "retry_policy": RetryPolicy(
        initial_interval=timedelta(seconds=2),
        maximum_interval=timedelta(hours=1),
        non_retryable_error_types=FINAL_ERRORS,
    ),
}
RECORD: ActivityConfig = {
    "start_to_close_timeout": timedelta(seconds=30),
    "heartbeat_timeout": HEARTBEAT,
    "retry_policy": RetryPolicy(
        initial_interval=timedelta(milliseconds=500),
        maximum_interval=timedelta(seconds=30),
        non_retryable_error_types=[OrderNotFound.__name__],
    ),
}
LETTER: ActivityConfig = {
    "start_to_close_timeout": timedelta(minutes=2),
    "heartbeat_timeout": HEARTBEAT,
    "retry_policy": RetryPolicy(
        initial_interval=timedelta(seconds=2),
        maximum_interval=timedelta(minutes=4),
        non_retryable_error_types=[MailRefused.__name__],
    ),
}
REFUND: ActivityConfig = {
    "start_to_close_timeout": ONE_CALL,
    "heartbeat_timeout": HEARTBEAT,
    "retry_policy": RetryPolicy(
        initial_interval=timedelta(seconds=2),
        maximum_interval=timedelta(hours=1),
        non_retryable_error_types=[RequestRefused.__name__, RefundNotFound.__name__],
    ),
}
RESERVE: ActivityConfig = {
    **RECORD,
    "retry_policy": RetryPolicy(
        initial_interval=timedelta(milliseconds=500),
        maximum_interval=timedelta(seconds=30),
        non_retryable_error_types=[
            RefundRefused.__name__,
            KeyReused.__name__,
            OrderNotFound.__name__,
        ],
    ),
}
LOAD: ActivityConfig = {
    "start_to_close_timeout": timedelta(hours=6),
    "heartbeat_timeout": HEARTBEAT,
    "retry_policy": RetryPolicy(
        initial_interval=timedelta(seconds=1),
        maximum_interval=timedelta(minutes=5),
        non_retryable_error_types=[FileRefused.__name__],
    ),
}
REPAIR_PAGE: ActivityConfig = {
    "start_to_close_timeout": timedelta(minutes=30),
    "heartbeat_timeout": HEARTBEAT,
    "retry_policy": RetryPolicy(
        initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=1)
    ),
}
SWEEP: ActivityConfig = {
    "start_to_close_timeout": timedelta(minutes=5),
    "heartbeat_timeout": HEARTBEAT,
    "retry_policy": RetryPolicy(maximum_attempts=3),
}


def named(options: ActivityConfig, summary: str) -> ActivityConfig:
    """The options with the words that Temporal's UI shows beside the activity."""
    return {**options, "summary": summary}


def failure(error: ActivityError, kind: type[Exception]) -> str | None:
    """What the error says, if this kind of exception is what ended the activity; else None."""
    cause = error.cause
    if not isinstance(cause, ApplicationError) or cause.type != kind.__name__:
        return None
    return cause.message
