-- What becomes of messages nobody answered for (reliability 2.13). A code goes out once more after five seconds while
-- it is valid; a notification or a trigger once more after `resend_seconds`; both then end as unknown. Marketing and
-- answers to inbound texts are never sent again: unknown after 72 hours. Two copies at most. Whoever's time has
-- not come is written down for then, so that nobody waits behind them.
WITH met AS MATERIALIZED (
  SELECT w.id AS waiting_id, w.ids FROM messaging_waiting w
  WHERE w.state = 'uncertain' AND w.due_at <= %(at)s + %(sooner_seconds)s * interval '1 second'
  ORDER BY w.due_at LIMIT %(limit)s
  FOR UPDATE SKIP LOCKED
), doubtful AS MATERIALIZED (
  SELECT m.id, met.waiting_id,
    m.submitted_at + CASE
      WHEN m.message_class = 'marketing' OR m.cause = 'reply' THEN interval '72 hours'
      WHEN m.message_class = 'verification' THEN interval '5 seconds'
      ELSE %(resend_seconds)s * interval '1 second' END AS decided_at,
    m.message_class <> 'marketing' AND m.cause <> 'reply' AND m.expires_at > %(at)s
      AND (SELECT count(*) FROM messaging_attempt a
           WHERE a.message_id = m.id AND a.outcome IN ('uncertain', 'accepted')) < 2 AS may_repeat
  FROM met CROSS JOIN unnest(met.ids) AS o (id) JOIN messaging_message m ON m.id = o.id
  WHERE m.state = 'uncertain'
), later AS (
  UPDATE messaging_waiting w SET due_at = l.decided_at
  FROM (SELECT waiting_id, min(decided_at) AS decided_at FROM doubtful WHERE decided_at > %(at)s GROUP BY 1) l
  WHERE w.id = l.waiting_id
), over AS (
  DELETE FROM messaging_waiting w USING met
  WHERE w.id = met.waiting_id AND NOT EXISTS (SELECT 1 FROM doubtful d WHERE d.waiting_id = w.id AND d.decided_at > %(at)s)
)
UPDATE messaging_message m
SET state = CASE WHEN d.may_repeat THEN 'queued' ELSE 'unknown' END,
    reason = 'no_answer',
    due_at = CASE WHEN d.may_repeat THEN %(at)s ELSE m.due_at END,
    gateway_id = CASE WHEN d.may_repeat
                           AND NOT EXISTS (SELECT 1 FROM messaging_submittedpart p WHERE p.message_id = m.id)
                      THEN NULL ELSE m.gateway_id END,
    final_at = CASE WHEN d.may_repeat THEN NULL ELSE %(at)s END
FROM doubtful d WHERE m.id = d.id AND d.decided_at <= %(at)s AND m.state = 'uncertain'
