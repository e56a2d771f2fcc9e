"""All words that customers read on our pages: a table for each language, by language code."""

from collections.abc import Mapping

Texts = Mapping[str, str]

ENGLISH: Texts = {
    "waiting.title": "Your order is waiting for payment",
    "waiting.lead": "It is yours once it is paid. Have you paid already? Then there is nothing to"
    " do: we find out by ourselves, and this page tells you.",
    "confirming.title": "We are confirming your payment",
    "confirming.lead": "This may take a moment. Please do not pay again. This page updates by"
    " itself. You may also close it: we write to you as soon as your payment is confirmed.",
    "canceling.title": "Your order is being canceled",
    "canceling.lead": "We are making sure that no payment was made. This page updates by itself.",
    "review.title": "We are looking into your payment",
    "review.lead": "Something about it does not add up, and a person will look at it. There is"
    " nothing you need to do, and please do not pay again.",
    "paid.title": "Thank you, your order is paid",
    "paid.lead": "A confirmation is on its way to your mail address.",
    "partially_refunded.title": "Your order is paid, and partly refunded",
    "partially_refunded.lead": "Your bank may need some days to show what was sent back.",
    "refunded.title": "Your order was refunded",
    "refunded.lead": "All of its money was sent back the way you paid. Your bank may need some"
    " days to show it.",
    "failed.title": "Your order was not paid",
    "failed.lead": "The payment did not go through, and the order is closed.",
    "expired.title": "Your order was not paid",
    "expired.lead": "The time to pay for it is over, and the order is closed.",
    "canceled.title": "Your order was canceled",
    "canceled.lead": "It was not paid, and it is closed.",
    "untouched": "You were not charged. You are welcome to order again in the shop.",
    "again": "You are welcome to order again in the shop.",
    "twice.open": "A second payment of {amount} arrived for this order. We are taking care of it:"
    " you do not pay twice.",
    "twice.sent": "You paid twice. The second payment of {amount} is on its way back to you.",
    "twice.back": "You paid twice. The second payment of {amount} was sent back to you. Your bank"
    " may need some days to show it.",
    "late.open": "A payment of {amount} arrived after the order was closed. We are taking care of"
    " it; please do not pay again.",
    "late.sent": "A payment of {amount} arrived after the order was closed. It is on its way back"
    " to you.",
    "late.back": "A payment of {amount} arrived after the order was closed. It was sent back to"
    " you. Your bank may need some days to show it.",
    "wrong.open": "A payment of {amount} arrived, which is not what the order costs.",
    "wrong.sent": "Your payment of {amount} was not what the order costs. It is on its way back to"
    " you.",
    "wrong.back": "Your payment of {amount} was not what the order costs. It was sent back to you."
    " Your bank may need some days to show it.",
    "refund.sent": "A refund of {amount} is on its way to you.",
    "refund.back": "A refund of {amount} was sent to you.",
    "pay": "Go to the payment page",
    "pay.if": "Not paid yet? This is the one page to pay for this order:",
    "shop.back": "Back to the shop",
    "shop.again": "Order again in the shop",
    "invoice": "Your invoice",
    "order": "Your order",
    "total": "Total",
    "number": "Order number",
    "reload": "Look again",
    "lost": "No connection at the moment. This page goes on by itself as soon as there is one.",
    "busy.title": "One moment, please",
    "busy.lead": "We cannot look up your order right now. If you have paid, your payment counts:"
    " please do not pay again. This page tries again by itself.",
    "neutral.title": "Nothing to see here",
    "neutral.lead": "This address does not lead to an order. Please go back to the shop, or use"
    " the link in your mail.",
}
TEXTS: dict[str, Texts] = {"en": ENGLISH}


def language_of(accepted: str) -> str:
    """The first language of an `Accept-Language` header that there is a table for, else English."""
    for wish in accepted.split(","):
        code = wish.partition(";")[0].partition("-")[0].strip().lower()
        if code in TEXTS:
            return code
    return "en"
