-- Attempts whose process is gone (its epoch is dead, or its lease ran out) have no answer any more: visible as
-- uncertain, never silently sent again. Ten minutes without an answer is a lost one whoever holds the lease.
WITH lost AS MATERIALIZED (
  SELECT m.id, a.id AS attempt_id
  FROM messaging_message m
  JOIN messaging_attempt a ON a.message_id = m.id AND a.number = m.attempts
  JOIN messaging_gateway g ON g.id = a.gateway_id
  WHERE m.state = 'submitting' AND a.outcome = ''
    AND (g.lease_epoch <> a.epoch OR g.lease_until IS NULL OR g.lease_until < %(at)s
         OR m.submitted_at < %(at)s - interval '10 minutes')
  LIMIT %(limit)s
  FOR NO KEY UPDATE OF m SKIP LOCKED
), noted AS (
  UPDATE messaging_attempt a SET outcome = 'uncertain', raw_status = 'process lost', answered_at = %(at)s
  FROM lost WHERE a.id = lost.attempt_id
)
UPDATE messaging_message m SET state = 'uncertain', reason = 'no_answer' FROM lost WHERE m.id = lost.id
