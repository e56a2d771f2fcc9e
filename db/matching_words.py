"""The comparison in SQL: one text for both engines, set after set.

Most rows are what they seem: a capture is of a paid order, a failure of none. So those that are
not (`odd`), and what we have and the file has not (`absent`), are sifted out by one join each;
only they are looked at closely. Everything made here is temporary.
"""

from collections.abc import Sequence
from enum import StrEnum

from domain.findings import Match, Plan
from domain.orders import LatePolicy, OrderStatus
from domain.payments import PaymentStatus
from domain.refunds import RefundStatus


def listed(words: Sequence[StrEnum]) -> str:
    return "(" + ", ".join(f"'{word}'" for word in words) + ")"


FULFILLED = listed([status for status in OrderStatus if status.is_fulfilled])
OPEN = listed([status for status in OrderStatus if status.is_open])
NO_MONEY = listed([PaymentStatus.FAILED, PaymentStatus.CANCELED])
UNDECIDED = listed([RefundStatus.REQUESTED, RefundStatus.PENDING])
ENDED = listed([RefundStatus.SUCCEEDED, RefundStatus.FAILED])
RANKS = [
    *(f"WHEN 'payment {status}' THEN {status.rank}" for status in PaymentStatus),
    *(f"WHEN 'refund {status}' THEN {status.rank}" for status in RefundStatus),
]
STANDING = f"CASE t.kind || ' ' || t.status {' '.join(RANKS)} ELSE 0 END"

TWICE = """
CREATE TEMPORARY TABLE twice AS
SELECT kind, reference FROM transactions
WHERE load = :load AND kind <> 'other'
GROUP BY kind, reference HAVING count(*) > 1
"""

REPEATS = f"""
CREATE TEMPORARY TABLE repeats AS
SELECT position, kind, status, currency, amount_minor, fee_minor, tax_minor, settlement_id
FROM (
    SELECT t.*, row_number() OVER (
        PARTITION BY t.kind, t.reference ORDER BY {STANDING} DESC, t.position
    ) AS place
    FROM transactions t JOIN twice ON twice.kind = t.kind AND twice.reference = t.reference
    WHERE t.load = :load
) AS placed
WHERE place > 1
"""

ODD = f"""
CREATE TEMPORARY TABLE odd AS
SELECT t.* FROM transactions t
LEFT JOIN orders o ON t.kind = 'payment'
    AND o.fulfilling_gateway = :gateway AND o.fulfilling_reference = t.reference
    AND o.status IN {FULFILLED}
WHERE t.load = :load AND (
    t.kind = 'refund'
    OR t.kind = 'payment' AND t.status = 'captured' AND (
        o.order_id IS NULL OR o.amount_minor <> t.amount_minor OR o.currency <> t.currency)
    OR t.kind = 'payment' AND t.status IN {NO_MONEY} AND o.order_id IS NOT NULL)
"""

# Not part of the query before: PostgreSQL joins by many hands only where no temporary table is.
UNREPEATED = "DELETE FROM odd WHERE position IN (SELECT position FROM repeats)"

ABSENT = """
CREATE TEMPORARY TABLE absent AS
SELECT p.reference, p.order_id, p.amount_minor, p.currency, p.method, p.first_seen_at
FROM payments p
WHERE p.gateway = :gateway AND p.status = 'captured'
    AND p.first_seen_at >= :start AND p.first_seen_at < :until
"""

# PostgreSQL joins by hash, also what does not fit into memory. SQLite would go through the whole
# load for each payment, but for a list it makes an index.
UNHEARD = {
    "postgresql": """
    AND NOT EXISTS (
        SELECT 1 FROM transactions t
        WHERE t.load = :load AND t.kind = 'payment' AND t.reference = p.reference)
""",
    "sqlite": """
    AND p.reference NOT IN (
        SELECT reference FROM transactions WHERE load = :load AND kind = 'payment')
""",
}

JUDGED_PAYMENTS = f"""
CREATE TEMPORARY TABLE judged_payments AS
WITH known AS (
    SELECT x.*, p.status AS our_status, p.amount_minor AS paid_minor, p.currency AS paid_currency,
        coalesce(p.order_id, l.order_id, named.order_id) AS found_id
    FROM odd x
    LEFT JOIN payments p ON p.gateway = :gateway AND p.reference = x.reference
    LEFT JOIN payment_links l ON l.gateway = :gateway AND l.wire_key = x.order_reference
    LEFT JOIN orders named ON named.order_id = x.our_id
    WHERE x.kind = 'payment'
), seen AS (
    SELECT known.*, o.order_id, o.status AS order_status, o.late_policy,
        coalesce(o.amount_minor, paid_minor) AS our_minor,
        coalesce(o.currency, paid_currency) AS our_currency,
        CASE
        WHEN known.status IN {NO_MONEY} THEN CASE
            WHEN o.status IN {FULFILLED} AND o.fulfilling_gateway = :gateway
                AND o.fulfilling_reference = known.reference THEN '{Match.OK_UNPAID}'
            ELSE '{Match.FAIL_FAIL}' END
        WHEN known.status <> 'captured' THEN '{Match.EXPECTED}'
        WHEN o.order_id IS NULL AND known.occurred_at > :young THEN '{Match.EXPECTED}'
        WHEN o.order_id IS NULL THEN '{Match.MISSING_IN_ORDERS}'
        WHEN o.currency <> known.currency THEN '{Match.CURRENCY_MISMATCH}'
        WHEN o.amount_minor <> known.amount_minor THEN '{Match.AMOUNT_MISMATCH}'
        WHEN o.status NOT IN {FULFILLED} THEN '{Match.FAIL_PAID}'
        WHEN o.fulfilling_gateway = :gateway
            AND o.fulfilling_reference = known.reference THEN '{Match.OK_PAID}'
        ELSE '{Match.DUPLICATE_PAYMENT}' END AS verdict,
        EXISTS (
            SELECT 1 FROM cases c
            WHERE c.gateway = :gateway AND c.payment_reference = known.reference
        ) AS has_case
    FROM known LEFT JOIN orders o ON o.order_id = known.found_id
), counted AS (
    SELECT seen.*, row_number() OVER (
        PARTITION BY order_id, verdict ORDER BY occurred_at, position) AS place
    FROM seen
)
SELECT counted.*,
    CASE WHEN verdict = '{Match.FAIL_PAID}' AND place > 1 THEN '{Match.DUPLICATE_PAYMENT}'
    ELSE verdict END AS match,
    CASE
    WHEN verdict = '{Match.OK_UNPAID}' THEN '{Plan.ASK}'
    WHEN our_status = 'captured' AND has_case
        AND paid_minor = amount_minor AND paid_currency = currency THEN '{Plan.NONE}'
    WHEN verdict = '{Match.MISSING_IN_ORDERS}' THEN '{Plan.CASE}'
    WHEN verdict IN ('{Match.AMOUNT_MISMATCH}', '{Match.CURRENCY_MISMATCH}') THEN
        CASE WHEN our_status = 'captured'
            AND (paid_minor <> amount_minor OR paid_currency <> currency)
        THEN '{Plan.ASK}' ELSE '{Plan.CASE}' END
    WHEN verdict = '{Match.DUPLICATE_PAYMENT}' OR place > 1 THEN '{Plan.REFUND}'
    WHEN order_status IN {OPEN} THEN '{Plan.TELL}'
    WHEN late_policy = '{LatePolicy.HONOUR}' THEN '{Plan.HONOUR}'
    ELSE '{Plan.REFUND}' END AS plan
FROM counted
"""

JUDGED_REFUNDS = f"""
CREATE TEMPORARY TABLE judged_refunds AS
WITH known AS (
    SELECT x.*, coalesce(by_name.refund_id, by_id.refund_id) AS found_id
    FROM odd x
    LEFT JOIN refunds by_name
        ON by_name.gateway = :gateway AND by_name.gateway_reference = x.reference
    LEFT JOIN refunds by_id ON by_id.gateway = :gateway AND by_id.refund_id = x.our_id
    WHERE x.kind = 'refund'
), seen AS (
    SELECT known.*, r.refund_id, r.amount_minor AS our_minor, r.currency AS our_currency,
        coalesce(r.order_id, p.order_id, o.order_id) AS order_id,
        coalesce(r.payment_reference, p.reference, o.fulfilling_reference) AS about,
        CASE
        WHEN r.refund_id IS NOT NULL AND r.amount_minor = known.amount_minor
            AND r.currency = known.currency AND (
                r.status = known.status AND r.status IN {ENDED}) THEN '{Match.REFUND_OK}'
        WHEN r.refund_id IS NOT NULL AND r.amount_minor = known.amount_minor
            AND r.currency = known.currency AND known.status NOT IN {ENDED}
        THEN '{Match.EXPECTED}'
        WHEN r.status IN {UNDECIDED} AND r.amount_minor = known.amount_minor
            AND r.currency = known.currency AND known.occurred_at > :young
        THEN '{Match.EXPECTED}'
        WHEN r.refund_id IS NOT NULL OR p.reference IS NOT NULL
            OR o.fulfilling_reference IS NOT NULL THEN '{Match.REFUND_MISMATCH}'
        WHEN known.occurred_at > :young THEN '{Match.EXPECTED}'
        ELSE '{Match.MISSING_IN_ORDERS}' END AS match
    FROM known
    LEFT JOIN refunds r ON r.refund_id = known.found_id
    LEFT JOIN payments p ON p.gateway = :gateway AND p.reference = known.payment_reference
    LEFT JOIN payment_links l ON l.gateway = :gateway AND l.wire_key = known.order_reference
        AND r.refund_id IS NULL AND p.reference IS NULL
    LEFT JOIN orders o ON o.order_id = l.order_id AND o.fulfilling_gateway = :gateway
)
SELECT seen.*, CASE match WHEN '{Match.MISSING_IN_ORDERS}' THEN '{Plan.CASE}'
    ELSE '{Plan.TELL}' END AS plan
FROM seen
"""

JUDGED_ABSENT = f"""
CREATE TEMPORARY TABLE judged_absent AS
SELECT a.*,
    CASE WHEN a.first_seen_at > :young_at THEN '{Match.EXPECTED}'
    ELSE '{Match.MISSING_AT_GATEWAY}' END AS match,
    CASE WHEN o.order_id IS NULL THEN '{Plan.NONE}' ELSE '{Plan.ASK}' END AS plan
FROM absent a
LEFT JOIN orders o ON o.order_id = a.order_id AND o.status IN {FULFILLED}
    AND o.fulfilling_gateway = :gateway AND o.fulfilling_reference = a.reference
WHERE a.first_seen_at > :young_at OR (
    NOT EXISTS (
        SELECT 1 FROM elsewhere e WHERE e.kind = 'payment' AND e.reference = a.reference)
    AND (o.order_id IS NOT NULL OR EXISTS (
        SELECT 1 FROM cases c WHERE c.gateway = :gateway AND c.payment_reference = a.reference
            AND c.status <> 'settled')))
"""

BY_NAME = "CREATE INDEX odd_by_name ON odd (reference)"
BY_ID = "CREATE INDEX odd_by_id ON odd (our_id)"

ABSENT_REFUNDS = """
CREATE TEMPORARY TABLE absent_refunds AS
SELECT r.refund_id, coalesce(r.gateway_reference, r.refund_id) AS reference,
    r.payment_reference, r.order_id, r.amount_minor, r.currency, r.concluded_at
FROM refunds r
LEFT JOIN odd named ON named.kind = 'refund' AND named.reference = r.gateway_reference
LEFT JOIN odd ours ON ours.kind = 'refund' AND ours.our_id = r.refund_id
WHERE r.gateway = :gateway AND r.status = 'succeeded'
    AND r.concluded_at >= :start AND r.concluded_at < :until
    AND named.position IS NULL AND ours.position IS NULL
"""

# Rows of the gateway's other loads of this kind that cover some of the same time.
ELSEWHERE = """
CREATE TEMPORARY TABLE elsewhere AS
SELECT t.kind, t.reference, t.our_id FROM transactions t
JOIN loads ON loads.load = t.load
WHERE loads.gateway = :gateway AND loads.kind = :kind AND loads.state = 'complete'
    AND loads.load <> :load AND loads.last_at >= :around AND loads.first_at <= :end
    AND (
        t.kind = 'payment' AND t.reference IN (SELECT reference FROM absent)
        OR t.kind = 'refund' AND (
            t.reference IN (SELECT reference FROM absent_refunds)
            OR t.our_id IN (SELECT refund_id FROM absent_refunds)))
"""

JUDGED_ABSENT_REFUNDS = f"""
CREATE TEMPORARY TABLE judged_absent_refunds AS
SELECT a.*,
    CASE WHEN a.concluded_at > :young_at THEN '{Match.EXPECTED}'
    ELSE '{Match.REFUND_MISMATCH}' END AS match,
    '{Plan.ASK}' AS plan
FROM absent_refunds a
WHERE a.concluded_at > :young_at OR NOT EXISTS (
    SELECT 1 FROM elsewhere e WHERE e.kind = 'refund'
        AND (e.reference = a.reference OR e.our_id = a.refund_id))
"""


def steps(dialect: str) -> tuple[str, ...]:
    """The statements, in their order."""
    return (
        *(TWICE, REPEATS, ODD, UNREPEATED, ABSENT + UNHEARD[dialect]),
        *(
            JUDGED_PAYMENTS,
            JUDGED_REFUNDS,
            BY_NAME,
            BY_ID,
            ABSENT_REFUNDS,
            ELSEWHERE,
            JUDGED_ABSENT,
            JUDGED_ABSENT_REFUNDS,
        ),
    )
