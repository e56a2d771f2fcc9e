"""What can go wrong, named by what it means for money."""

from datetime import timedelta


class GatewayUnavailable(Exception):
    """Nothing happened at the gateway, and repeating is safe.

    Not connected, turned away for now (429, 503), or our keys are not accepted (401, 403).
    """

    def __init__(self, message: str, retry_after: timedelta | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class OutcomeUnknown(Exception):
    """The call was sent and no usable answer came: money may have moved. Ask before repeating."""


class RequestRefused(Exception):
    """The gateway understood and said no: nothing happened, and repeating changes nothing."""


class BadSignature(Exception):
    """The message does not come from the gateway; nothing in it may be believed."""


class MessageNotUnderstood(Exception):
    """The message is signed by the gateway but does not read as one we know; it is kept."""


class OrderNotFound(LookupError):
    """There is no such order, or it belongs to another client; nothing was written."""


class ProductNotFound(LookupError):
    """The catalogue has no such sku, or not in that currency; nothing was written."""


class BasketRefused(ValueError):
    """No order can be made of this basket, and the text says why; nothing was written."""


class KeyReused(Exception):
    """This Idempotency-Key was used for a different request; nothing was written."""


class IllegalTransition(Exception):
    """The order's status does not allow this step; nothing was written."""


class PaymentTaken(Exception):
    """This payment is recorded for another order, and pays only that one; nothing was written."""


class RefundRefused(Exception):
    """This refund may not be: the text says why; nothing was written and nothing was moved."""


class RefundNotFound(LookupError):
    """There is no such refund, or it belongs to another client's order."""


class PaperNotFound(LookupError):
    """The order has no such invoice or credit note: it was not paid, or nothing went back."""


class CaseNotFound(LookupError):
    """There is no such case."""


class WordNotWanted(Exception):
    """The case does not wait for an operator's word, or not for this one; nothing was moved."""


class FileRefused(Exception):
    """This transaction file, or report, cannot be believed: none of it was used.

    `line` is where it goes wrong, counted from 1, the header included; None if it is the whole.
    """

    def __init__(self, why: str, line: int | None = None) -> None:
        super().__init__(f"line {line}: {why}" if line else why)
        self.line = line


class AlreadyLoaded(Exception):
    """All rows of this load are staged: there is nothing left to read."""


class RunNotFound(LookupError):
    """There is no such reconciliation."""


class DatabaseUnavailable(Exception):
    """The database is away or busy: nothing was acknowledged, and every write may be repeated."""


class MailDelayed(Exception):
    """The mail server is away or busy; the letter is still to be sent, no money is concerned."""


class MailRefused(Exception):
    """The mail server will never take this letter; the order stands as it is."""
