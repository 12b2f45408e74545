"""What the gateways are doing: now from the last hour's tries, earlier from the hourly counts. No question reads the
whole of the messages: each is bounded by an index, by a summary of pages or by the hours it asks for.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from crm.reports.rows import ask

MILLI = 1000
HOURS_SHOWN = 24

_NOW = """
WITH recent AS (
  SELECT a.gateway_id, count(*) AS hour, count(*) FILTER (WHERE a.started_at > %(at)s - interval '1 minute') AS minute
  FROM messaging_attempt a
  WHERE a.started_at > %(at)s - interval '1 hour' AND a.started_at <= %(at)s GROUP BY 1
), doubt AS (
  SELECT gateway_id, count(*) AS uncertain, min(submitted_at) AS oldest FROM messaging_message
  WHERE state = 'uncertain' GROUP BY 1
), open AS (
  SELECT gateway_id, count(*) AS open FROM messaging_message WHERE state = 'submitting' GROUP BY 1
), today AS (
  SELECT gateway_id, sum(tries)::bigint AS tries, sum(accepted)::bigint AS accepted, sum(refused)::bigint AS refused,
         sum(delivered)::bigint AS delivered, sum(undelivered)::bigint AS undelivered,
         sum(no_receipt)::bigint AS no_receipt, sum(unanswered)::bigint AS unanswered,
         sum(parts) FILTER (WHERE hour_at >= %(today)s)::bigint AS parts_today,
         sum(cost_milli) FILTER (WHERE hour_at >= %(today)s)::bigint AS cost_today
  FROM messaging_tally WHERE hour_at >= least(%(today)s, %(day)s) GROUP BY 1
), month AS (
  SELECT gateway_id, sum(parts)::bigint AS parts, sum(cost_milli)::bigint AS cost FROM messaging_tally
  WHERE hour_at >= %(month)s GROUP BY 1
)
SELECT g.id, g.name, g.kind, g.is_active, g.bind_state, g.state_since, g.bound_at, g.last_error, g.lease_owner,
  g.lease_until, g."window", g.rate, coalesce(open.open, 0) AS open, coalesce(recent.minute, 0) AS minute,
  coalesce(recent.hour, 0) AS hour, coalesce(doubt.uncertain, 0) AS uncertain, doubt.oldest AS uncertain_since,
  coalesce(today.tries, 0) AS tries, coalesce(today.accepted, 0) AS accepted, coalesce(today.refused, 0) AS refused,
  coalesce(today.delivered, 0) AS delivered, coalesce(today.undelivered, 0) AS undelivered,
  coalesce(today.no_receipt, 0) AS no_receipt, coalesce(today.unanswered, 0) AS unanswered,
  coalesce(today.parts_today, 0) AS parts_today, coalesce(today.cost_today, 0) AS cost_today,
  coalesce(month.parts, 0) AS parts_month, coalesce(month.cost, 0) AS cost_month
FROM messaging_gateway g
LEFT JOIN recent ON recent.gateway_id = g.id
LEFT JOIN doubt ON doubt.gateway_id = g.id
LEFT JOIN open ON open.gateway_id = g.id
LEFT JOIN today ON today.gateway_id = g.id
LEFT JOIN month ON month.gateway_id = g.id
ORDER BY g.id"""

_ERRORS = """
SELECT a.gateway_id, a.outcome, a.raw_status, count(*) AS number
FROM messaging_attempt a
WHERE a.started_at > %(at)s - interval '1 hour' AND a.started_at <= %(at)s AND a.outcome NOT IN ('', 'accepted')
GROUP BY 1, 2, 3 ORDER BY 1, 4 DESC LIMIT 100"""

_LAG = """
SELECT p.gateway_id, count(*) AS number,
  percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM r.received_at - t.answered_at)) AS p50,
  percentile_cont(0.95) WITHIN GROUP (ORDER BY extract(epoch FROM r.received_at - t.answered_at)) AS p95
FROM (
  SELECT gateway_id, provider_id, received_at FROM messaging_receipt
  WHERE received_at > %(at)s - interval '1 hour' AND received_at <= %(at)s AND matched_at IS NOT NULL
  ORDER BY received_at DESC LIMIT 2000
) r
JOIN messaging_submittedpart p ON p.gateway_id = r.gateway_id AND p.provider_id = r.provider_id
JOIN messaging_attempt t ON t.id = p.attempt_id
WHERE t.answered_at IS NOT NULL
GROUP BY 1"""

_QUEUE = """
SELECT priority, count(*) AS number, min(due_at) AS oldest, count(*) FILTER (WHERE due_at > %(at)s) AS later
FROM messaging_message WHERE state = 'queued' GROUP BY 1 ORDER BY 1"""

_HOURS = """
SELECT gateway_id, hour_at, sum(tries)::bigint AS tries, sum(refused)::bigint AS refused
FROM messaging_tally WHERE hour_at >= %(since)s GROUP BY 1, 2 ORDER BY 1, 2"""


def gateways(*, at: datetime, today: datetime, month: datetime) -> list[dict[str, Any]]:
    """One row a gateway. `today` and `month` are when the reader's day and month began; counts are of 24 hours."""
    return ask(_NOW, {"at": at, "today": today, "month": month, "day": at - timedelta(hours=HOURS_SHOWN)})


def errors(*, at: datetime) -> list[dict[str, Any]]:
    """Of the last hour, by gateway, what it said, the most frequent first."""
    return ask(_ERRORS, {"at": at})


def receipt_lags(*, at: datetime) -> list[dict[str, Any]]:
    """By gateway, seconds from the answer to the report, half and nineteen in twenty; of the last 2,000 in the hour."""
    return ask(_LAG, {"at": at})


def queue(*, at: datetime) -> list[dict[str, Any]]:
    """By priority, how many wait, since when the oldest may leave, and how many may only later."""
    return ask(_QUEUE, {"at": at})


def hours(*, at: datetime) -> dict[int, list[int]]:
    """By gateway, the tries of each of the last 24 hours, the oldest first."""
    first = at.replace(minute=0, second=0, microsecond=0) - timedelta(hours=HOURS_SHOWN - 1)
    found: dict[int, list[int]] = {}
    for row in ask(_HOURS, {"since": first}):
        place = int((row["hour_at"] - first).total_seconds()) // 3600
        if 0 <= place < HOURS_SHOWN:
            found.setdefault(row["gateway_id"], [0] * HOURS_SHOWN)[place] = row["tries"]
    return found
