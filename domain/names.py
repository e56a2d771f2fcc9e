"""Names as people read them; nothing is decided by them."""

GATEWAYS = {
    "billdesk": "BillDesk",
    "ccavenue": "CCAvenue",
    "paypal": "PayPal",
    "payu": "PayU",
    "phonepe": "PhonePe",
}


def written(gateway: str) -> str:
    """As the gateway writes itself."""
    return GATEWAYS.get(gateway, gateway.title())
