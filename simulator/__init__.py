"""A payment gateway to develop and test against: its own process, its own ledger, no real money.

It knows nothing of the service that uses it. One ledger holds links, payments, refunds, disputes
and events; each gateway's wire format is a dialect on top of it; faults make it misbehave on
demand.
"""
