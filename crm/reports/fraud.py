"""Twelve stories of fraud, each one question to the books. Thresholds are data: `THRESHOLDS`, or a FraudRule row.

A question gives one row a subject, store and window (a day, a week from Monday, a month), with the operations behind
it. The windows that the asked days touch are looked at whole, so that asking again finds the same.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from crm.reports.rows import ask
from members.domain.fraud import Finding
from members.models import FraudPattern as P
from members.models import FraudRule

THRESHOLDS: dict[str, dict[str, Any]] = {
    P.REPEATED_CREDITS: {"more_than": 3},
    P.OWN_ACCOUNT: {"least_minor": 0},
    P.AFTER_HOURS: {"from_hour": 7, "until_hour": 23, "least": 1},
    P.OTHER_TENDER: {"least_minor": 1},
    P.UNTOLD_DEBITS: {"least": 3},
    P.REFUND_RATIO: {"least": 8, "percent": 15, "times": 3},
    P.ROUND_AMOUNTS: {"least": 10, "percent": 80, "unit_minor": 10000},
    P.ELSEWHERE_AT_ONCE: {"minutes": 10},
    P.BONUS_OUTLIER: {"least_minor": 100000, "times": 3},
    P.CASH_DIFFERENCES: {"least": 3, "least_minor": 500},
    P.NO_REFERENCE: {"least": 5, "usual_percent": 50},
    P.IDENTITY_THEN_SPEND: {"minutes": 60, "least_minor": 10000},
}
_DEED = """
WITH deed AS (
  SELECT o.id, o.kind, o.store_id, o.staff_id, o.member_id, o.card_id, o.reverses_id, o.amount_minor, o.at,
         (o.at AT TIME ZONE s.timezone)::date AS day, extract(hour FROM o.at AT TIME ZONE s.timezone) AS hour,
         date_trunc('week', o.at AT TIME ZONE s.timezone)::date AS week,
         date_trunc('month', o.at AT TIME ZONE s.timezone)::date AS month
  FROM members_operation o JOIN members_store s ON s.id = o.store_id
  WHERE o.at >= %(begins)s AND o.at < %(ends)s
)"""
_TOLD = "sum(d.amount_minor)::bigint AS amount, count(*) AS number, array_agg(d.id ORDER BY d.id) AS evidence"

QUESTIONS: dict[str, str] = {
    P.REPEATED_CREDITS: f"""
SELECT 'card:' || d.card_id AS subject, d.store_id AS store, NULL::bigint AS staff, min(d.member_id) AS member,
       d.day AS from_on, {_TOLD}
FROM deed d WHERE d.kind IN ('recharge', 'adjust') AND d.card_id IS NOT NULL
GROUP BY d.card_id, d.store_id, d.day HAVING count(*) > %(more_than)s""",
    P.OWN_ACCOUNT: f"""
SELECT 'staff:' || d.staff_id AS subject, d.store_id AS store, d.staff_id AS staff, min(d.member_id) AS member,
       d.day AS from_on, {_TOLD}
FROM deed d JOIN members_member m ON m.id = d.member_id
WHERE d.staff_id IS NOT NULL AND d.kind IN ('adjust', 'refund', 'refund_recharge', 'earn')
  AND d.amount_minor >= %(least_minor)s
  AND EXISTS (SELECT 1 FROM members_staff s JOIN members_staffrole r ON r.staff_id = s.id AND r.store_id = d.store_id
              WHERE s.member_id = m.id OR s.phone_hash = m.phone_hash)
GROUP BY d.staff_id, d.store_id, d.day""",
    P.AFTER_HOURS: f"""
SELECT 'staff:' || d.staff_id AS subject, d.store_id AS store, d.staff_id AS staff, NULL::bigint AS member,
       d.day AS from_on, {_TOLD}
FROM deed d WHERE d.staff_id IS NOT NULL AND d.kind IN ('adjust', 'refund', 'refund_recharge', 'close')
  AND (d.hour < %(from_hour)s OR d.hour >= %(until_hour)s)
GROUP BY d.staff_id, d.store_id, d.day HAVING count(*) >= %(least)s""",
    P.OTHER_TENDER: f"""
SELECT 'staff:' || d.staff_id AS subject, d.store_id AS store, d.staff_id AS staff, min(d.member_id) AS member,
       d.day AS from_on, {_TOLD}
FROM deed d JOIN members_operation sale ON sale.id = d.reverses_id
WHERE d.staff_id IS NOT NULL AND d.amount_minor >= %(least_minor)s AND (d.card_id IS DISTINCT FROM sale.card_id
  OR EXISTS (SELECT 1 FROM members_tender back WHERE back.operation_id = d.id AND back.amount_minor < 0
             AND NOT EXISTS (SELECT 1 FROM members_tender paid
                             WHERE paid.operation_id = sale.id AND paid.type = back.type)))
GROUP BY d.staff_id, d.store_id, d.day""",
    P.UNTOLD_DEBITS: f"""
SELECT 'member:' || d.member_id AS subject, d.store_id AS store, NULL::bigint AS staff, d.member_id AS member,
       d.week AS from_on, {_TOLD}
FROM deed d WHERE d.kind IN ('spend', 'redeem')
  AND EXISTS (SELECT 1 FROM members_membershipevent e JOIN messaging_message t ON t.event_id = e.id
              WHERE e.operation_id = d.id AND t.state IN ('undelivered', 'rejected', 'no_receipt', 'unknown', 'expired'))
GROUP BY d.member_id, d.store_id, d.week HAVING count(*) >= %(least)s""",
    P.REFUND_RATIO: """
, own AS (
  SELECT staff_id, store_id, month, count(*) FILTER (WHERE kind = 'refund') AS refunds,
         count(*) FILTER (WHERE kind = 'spend') AS sales,
         sum(amount_minor) FILTER (WHERE kind = 'refund') AS amount,
         array_agg(id ORDER BY id) FILTER (WHERE kind = 'refund') AS evidence
  FROM deed WHERE staff_id IS NOT NULL AND kind IN ('refund', 'spend') GROUP BY staff_id, store_id, month
), house AS (
  SELECT month, sum(refunds) AS refunds, sum(sales) AS sales FROM own GROUP BY month
)
SELECT 'staff:' || o.staff_id AS subject, o.store_id AS store, o.staff_id AS staff, NULL::bigint AS member,
       o.month AS from_on, o.amount::bigint AS amount, o.refunds AS number, o.evidence
FROM own o JOIN house h USING (month)
WHERE o.refunds >= %(least)s AND 100 * o.refunds >= %(percent)s * greatest(o.sales, 1)
  AND o.refunds * greatest(h.sales - o.sales, 1) >= %(times)s * (h.refunds - o.refunds) * greatest(o.sales, 1)""",
    P.ROUND_AMOUNTS: f"""
SELECT 'staff:' || d.staff_id AS subject, d.store_id AS store, d.staff_id AS staff, NULL::bigint AS member,
       d.week AS from_on, {_TOLD}
FROM deed d WHERE d.staff_id IS NOT NULL AND d.kind = 'spend'
GROUP BY d.staff_id, d.store_id, d.week
HAVING count(*) >= %(least)s
  AND 100 * count(*) FILTER (WHERE d.amount_minor %% %(unit_minor)s = 0) >= %(percent)s * count(*)""",
    P.ELSEWHERE_AT_ONCE: """
SELECT 'card:' || d.card_id AS subject, d.store_id AS store, min(d.staff_id) AS staff, min(d.member_id) AS member,
       d.day AS from_on, sum(d.amount_minor)::bigint AS amount, count(*) AS number,
       array_agg(d.id ORDER BY d.id) || array_agg(DISTINCT r.id) AS evidence
FROM deed d JOIN deed r ON r.card_id = d.card_id AND r.kind = 'recharge' AND r.store_id <> d.store_id
     AND d.at BETWEEN r.at AND r.at + make_interval(mins => %(minutes)s)
WHERE d.kind IN ('spend', 'redeem') GROUP BY d.card_id, d.store_id, d.day""",
    P.BONUS_OUTLIER: """
, given AS (
  SELECT d.member_id, d.store_id, d.month, sum(e.amount) AS amount, count(*) AS number,
         array_agg(d.id ORDER BY d.id) AS evidence
  FROM deed d JOIN members_entry e ON e.operation_id = d.id AND e.account_kind = 'bonus' AND e.amount > 0
  WHERE d.kind IN ('recharge', 'adjust') GROUP BY d.member_id, d.store_id, d.month
), usual AS (
  SELECT store_id, percentile_disc(0.99) WITHIN GROUP (ORDER BY amount) AS top,
         percentile_disc(0.9) WITHIN GROUP (ORDER BY amount) AS high FROM given GROUP BY store_id
)
SELECT 'member:' || g.member_id AS subject, g.store_id AS store, NULL::bigint AS staff, g.member_id AS member,
       g.month AS from_on, g.amount::bigint AS amount, g.number, g.evidence
FROM given g JOIN usual u USING (store_id)
WHERE g.amount >= u.top AND g.amount >= %(least_minor)s AND g.amount > %(times)s * u.high""",
    P.CASH_DIFFERENCES: """
SELECT 'staff:' || h.staff_id AS subject, h.store_id AS store, h.staff_id AS staff, NULL::bigint AS member,
       date_trunc('month', h.on)::date AS from_on, sum(h.expected_minor - h.counted_minor)::bigint AS amount,
       count(*) AS number, array_agg(h.id ORDER BY h.id) AS evidence
FROM members_shift h
WHERE h.staff_id IS NOT NULL AND h.closed_at >= %(begins)s AND h.closed_at < %(ends)s
  AND h.expected_minor - h.counted_minor >= %(least_minor)s
GROUP BY h.staff_id, h.store_id, date_trunc('month', h.on) HAVING count(*) >= %(least)s""",
    P.NO_REFERENCE: f"""
, named AS (
  SELECT o.store_id, 100.0 * count(*) FILTER (WHERE t.reference <> '') / count(*) AS percent
  FROM deed o JOIN members_tender t ON t.operation_id = o.id AND t.amount_minor > 0 AND t.type <> 'cash'
  GROUP BY o.store_id
)
SELECT 'staff:' || d.staff_id AS subject, d.store_id AS store, d.staff_id AS staff, NULL::bigint AS member,
       d.day AS from_on, {_TOLD}
FROM deed d JOIN named n ON n.store_id = d.store_id AND n.percent >= %(usual_percent)s
JOIN members_tender t ON t.operation_id = d.id AND t.amount_minor > 0 AND t.type <> 'cash' AND t.reference = ''
WHERE d.staff_id IS NOT NULL GROUP BY d.staff_id, d.store_id, d.day HAVING count(*) >= %(least)s""",
    P.IDENTITY_THEN_SPEND: """
SELECT 'member:' || d.member_id AS subject, d.store_id AS store, min(d.staff_id) AS staff, d.member_id AS member,
       d.day AS from_on, sum(d.amount_minor)::bigint AS amount, count(*) AS number,
       array_agg(d.id ORDER BY d.id) || array_agg(DISTINCT i.id) AS evidence
FROM deed d JOIN deed i ON i.member_id = d.member_id AND i.kind = 'move_in'
     AND d.at BETWEEN i.at AND i.at + make_interval(mins => %(minutes)s)
WHERE d.kind IN ('spend', 'redeem', 'refund_recharge', 'close') AND d.amount_minor >= %(least_minor)s
GROUP BY d.member_id, d.store_id, d.day""",
}


def thresholds() -> dict[str, dict[str, Any] | None]:
    """Each pattern's thresholds, the house's own laid over the usual ones; None when it is switched off."""
    own = {rule.pattern: rule for rule in FraudRule.objects.all()}
    found: dict[str, dict[str, Any] | None] = {}
    for pattern, usual in THRESHOLDS.items():
        rule = own.get(pattern)
        extra = {name: rule.thresholds[name] for name in usual if name in rule.thresholds} if rule else {}
        found[pattern] = None if rule and not rule.is_active else usual | extra
    return found


def look(*, at: datetime, days: int = 3) -> list[Finding]:
    """Every pattern over the windows of the last `days`; thirteen queries, however many deeds."""
    begins = (at - timedelta(days=days)).replace(
        day=1, hour=0, minute=0, second=0, microsecond=0
    ) - timedelta(days=7)
    findings = []
    for pattern, limits in thresholds().items():
        if limits is None:
            continue
        for row in ask(_DEED + QUESTIONS[pattern], {"begins": begins, "ends": at, **limits}):
            findings.append(_finding(pattern, row))
    return findings


def _finding(pattern: str, row: dict[str, Any]) -> Finding:
    return Finding(
        pattern=pattern,
        subject=row["subject"],
        store_id=row["store"],
        from_on=row["from_on"],
        staff_id=row["staff"],
        member_id=row["member"],
        amount_minor=row["amount"] or 0,
        facts={"number": row["number"]},
        evidence=tuple(row["evidence"]),
    )
