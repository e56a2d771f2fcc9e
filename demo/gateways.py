"""What each gateway can do: a case says what it needs, and is named where it cannot be played."""

LATE_AUTHORIZATION = "money held on a link that has ended"

ABILITIES: dict[str, frozenset[str]] = {
    "razorpay": frozenset({LATE_AUTHORIZATION}),
    "stripe": frozenset(),
}
# Their webhooks may prove a payment without naming its method.
SILENT_ON_METHOD = frozenset({"stripe"})


def missing(gateway: str, needs: frozenset[str]) -> frozenset[str]:
    """What the gateway cannot do of that; of a gateway that is not known here, nothing."""
    return needs - ABILITIES.get(gateway, needs)
