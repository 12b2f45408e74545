-- What becomes of messages nobody answered for (reliability 2.13). A code goes out once more after five seconds while
-- it is valid; a notification or a trigger once more after `resend_seconds`; both then end as unknown. Marketing and
-- answers to inbound texts are never sent again: unknown after 72 hours. Two copies at most.
WITH met AS MATERIALIZED (
  SELECT w.id AS waiting_id, o.id FROM messaging_waiting w, unnest(w.ids) AS o (id)
  WHERE w.state = 'uncertain' AND w.due_at <= %(at)s
  ORDER BY w.due_at LIMIT %(limit)s
  FOR UPDATE OF w SKIP LOCKED
), doubtful AS MATERIALIZED (
  SELECT m.id, met.waiting_id,
    m.submitted_at <= %(at)s - CASE
      WHEN m.message_class = 'marketing' OR m.cause = 'reply' THEN interval '72 hours'
      WHEN m.message_class = 'verification' THEN interval '5 seconds'
      ELSE %(resend_seconds)s * interval '1 second' END AS is_time,
    m.message_class <> 'marketing' AND m.cause <> 'reply' AND m.expires_at > %(at)s
      AND (SELECT count(*) FROM messaging_attempt a
           WHERE a.message_id = m.id AND a.outcome IN ('uncertain', 'accepted')) < 2 AS may_repeat
  FROM met JOIN messaging_message m ON m.id = met.id
  WHERE m.state = 'uncertain'
), over AS (
  DELETE FROM messaging_waiting w USING met
  WHERE w.id = met.waiting_id AND NOT EXISTS (SELECT 1 FROM doubtful d WHERE d.waiting_id = w.id AND NOT d.is_time)
)
UPDATE messaging_message m
SET state = CASE WHEN d.may_repeat THEN 'queued' ELSE 'unknown' END,
    reason = 'no_answer',
    due_at = CASE WHEN d.may_repeat THEN %(at)s ELSE m.due_at END,
    gateway_id = CASE WHEN d.may_repeat
                           AND NOT EXISTS (SELECT 1 FROM messaging_submittedpart p WHERE p.message_id = m.id)
                      THEN NULL ELSE m.gateway_id END,
    final_at = CASE WHEN d.may_repeat THEN NULL ELSE %(at)s END
FROM doubtful d WHERE m.id = d.id AND d.is_time AND m.state = 'uncertain'
