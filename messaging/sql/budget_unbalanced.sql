-- The budgets and periods in which what was put aside is not what was charged, released or is still aside (M18).
WITH held AS (
  SELECT m.store_id, m.cause, m.cause_id, sms_source_of(m.event_id, m.cause, m.cause_id) AS source, m.created_at AS moment,
         m.reserved_milli::bigint AS milli
  FROM messaging_message m
  WHERE m.reserved_milli > 0
    AND (m.state IN ('held', 'queued', 'submitting', 'retry_wait', 'uncertain', 'unknown', 'quarantined')
         OR m.id IN (SELECT message_id FROM messaging_settling))
  UNION ALL
  SELECT p.store_id, p.cause, p.cause_id, NULL, p.opened_at, p.reserved_milli - p.drawn_milli
  FROM messaging_purse p WHERE p.closed_at IS NULL
), aside AS (
  SELECT b.id, sms_budget_period(b.period, b.timezone, h.moment) AS period_on, sum(h.milli)::bigint AS milli
  FROM held h
  LEFT JOIN messaging_purse p ON p.cause = h.cause AND p.cause_id = h.cause_id
  JOIN messaging_budget b ON (b.scope = 'house' OR (b.scope = 'store' AND b.store_id = h.store_id) OR b.id = p.budget_id
      OR (b.scope = 'api_key' AND b.subject = h.source))
    AND b.from_at <= h.moment AND (b.until_at IS NULL OR h.moment < b.until_at)
  GROUP BY 1, 2
), used AS (
  SELECT budget_id AS id, period_on, sum(reserved_milli)::bigint AS reserved, sum(charged_milli)::bigint AS charged,
         sum(released_milli)::bigint AS released
  FROM messaging_budgetuse GROUP BY 1, 2
)
SELECT id, period_on, coalesce(reserved, 0), coalesce(charged, 0), coalesce(released, 0), coalesce(milli, 0)
FROM used FULL JOIN aside USING (id, period_on)
WHERE coalesce(reserved, 0) <> coalesce(charged, 0) + coalesce(released, 0) + coalesce(milli, 0)
ORDER BY 1, 2
