"""Who writes letters."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Sender:
    """`address` is the From, `public_url` where the order's page is."""

    address: str
    shop_name: str
    public_url: str

    def message_id(self, letter_id: str, kind: str) -> str:
        """The same for every copy of the same letter."""
        return f"<{letter_id}.{kind}@{self.address.rpartition('@')[2]}>"

    def page(self, order_id: str, token: str) -> str:
        """Where the customer sees how the order stands."""
        return f"{self.public_url}/orders/{order_id}/result?token={token}"
