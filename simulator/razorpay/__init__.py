"""Razorpay's dialect: Payment Links v1, their orders and payments, webhooks and callback.

Where Razorpay's documentation and what its API was seen to answer differ, the documentation wins,
except for traps that only the real thing shows, such as `[]` for an empty map.
"""
