"""Seeded chaos: the real stack, impatient customers, faults and kills; then every invariant."""
