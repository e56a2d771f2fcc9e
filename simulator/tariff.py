"""What the gateway keeps of every payment it captures: a share, and the tax on that share."""

from dataclasses import dataclass

# Goods and services tax on financial services in India.
GST_PERCENT = 18


@dataclass(frozen=True, slots=True)
class Tariff:
    """`basis_points` are hundredths of a percent; whatever is left of a smallest unit is waived."""

    basis_points: int = 200

    def fee(self, amount: int) -> int:
        """Without tax."""
        return amount * self.basis_points // 10_000

    def tax(self, amount: int) -> int:
        return self.fee(amount) * GST_PERCENT // 100
