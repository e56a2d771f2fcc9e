"""PayPal's dialect: orders that customers approve and merchants capture, refunds, signed events.

A link is an order, and an approval of it a payment that is only authorized until it is captured.
Where PayPal is silent (what becomes of a request id that is used for another request), the
simulator does what its documentation suggests.
"""
