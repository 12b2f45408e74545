-- Attempts whose process is gone (its epoch is dead, or its lease ran out) have no answer any more: visible as
-- uncertain, never silently sent again. Ten minutes without an answer is a lost one whoever holds the lease.
WITH left_open AS MATERIALIZED (
  SELECT h.id, h.gateway_id, h.epoch, h.first_attempt, h.last_attempt
  FROM messaging_handover h
  LEFT JOIN messaging_gateway g ON g.id = h.gateway_id
  WHERE h.is_open
    AND (g.id IS NULL OR g.lease_epoch <> h.epoch OR g.lease_until IS NULL OR g.lease_until < %(at)s
         OR h.started_at < %(at)s - interval '10 minutes')
  ORDER BY h.id LIMIT %(limit)s
  FOR NO KEY UPDATE OF h SKIP LOCKED
), closed AS (
  UPDATE messaging_handover h SET is_open = false FROM left_open l WHERE h.id = l.id
), noted AS (
  UPDATE messaging_attempt a SET outcome = 'uncertain', raw_status = 'process lost', answered_at = %(at)s
  FROM left_open l
  WHERE a.id BETWEEN l.first_attempt AND l.last_attempt AND a.gateway_id = l.gateway_id AND a.epoch = l.epoch
    AND a.outcome = ''
  RETURNING a.message_id, a.number
)
UPDATE messaging_message m SET state = 'uncertain', reason = 'no_answer'
FROM noted n WHERE m.id = n.message_id AND m.attempts = n.number AND m.state = 'submitting'
