"""What each gateway can do: a case says what it needs, and is named where it cannot be played."""

LATE_AUTHORIZATION = "money held on a link that has ended"
PAID_WITHOUT_US = "payment that needs no call of ours"
CAPTURE_OF_OURS = "payment that we have to take"
METHODS = "methods but its own"
CAPTURE_TAKEN_BACK = "report of a capture that came to nothing"

ABILITIES: dict[str, frozenset[str]] = {
    "razorpay": frozenset({LATE_AUTHORIZATION, PAID_WITHOUT_US, METHODS, CAPTURE_TAKEN_BACK}),
    "stripe": frozenset({PAID_WITHOUT_US, METHODS}),
    "paypal": frozenset({CAPTURE_OF_OURS, CAPTURE_TAKEN_BACK}),
}
# Their webhooks may prove a payment without naming its method.
SILENT_ON_METHOD = frozenset({"stripe"})
# Its lists tell only of money that moved: failed attempts are not in them.
SCENARIOS_AT = {"stripe": ("ok_paid", "fail_paid")}
# How many webhooks tell of one payment.
WEBHOOKS = {"paypal": 3}
USUAL_WEBHOOKS = 4
# Rupees are not taken everywhere: goods of the same price in a currency that is.
GOODS: dict[str, dict[str, str]] = {
    "paypal": {
        "coffee-beans": "espresso-machine-usd",
        "mug": "grinder-usd",
        "electricity-bill": "insurance-usd",
    }
}

CURRENCIES = {"paypal": "USD"}
# Their links end by themselves: what the customer approves is only paid if we take it.
POWERLESS_WITHOUT_US = frozenset({"paypal"})
# A gateway that is a method of payment by itself.
ONE_METHOD = frozenset({"paypal"})


def currency_at(gateway: str) -> str:
    """What money for nobody comes in."""
    return CURRENCIES.get(gateway, "INR")


def method_at(gateway: str, method: str) -> str:
    """What a payment by that method is called in the order."""
    return gateway if gateway in ONE_METHOD else method


def goods_at(gateway: str, sku: str) -> str:
    """What is bought in place of it where that cannot be paid."""
    return GOODS.get(gateway, {}).get(sku, sku)


def webhooks_of(gateway: str) -> int:
    """How many webhooks a payment brings."""
    return WEBHOOKS.get(gateway, USUAL_WEBHOOKS)


def missing(gateway: str, needs: frozenset[str]) -> frozenset[str]:
    """What the gateway cannot do of that; of a gateway that is not known here, nothing."""
    return needs - ABILITIES.get(gateway, needs)
