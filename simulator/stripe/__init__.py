"""Stripe's dialect: Checkout Sessions, their payments, refunds, disputes and signed events.

A link is a session, what pays it is one PaymentIntent, and every attempt at it a charge.
Where Stripe is silent or only heard of (what a retry's answer looks like, which refund events come
for a card), the simulator does what its documentation suggests.
"""
