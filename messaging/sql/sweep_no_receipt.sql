-- Taken by the gateway 72 hours ago and never heard of again. With it goes the memory of that claim.
WITH counted AS MATERIALIZED (
  SELECT id, sum(last_attempt - first_attempt + 1) OVER (ORDER BY started_at, id) AS upto
  FROM (SELECT * FROM messaging_handover WHERE started_at <= %(at)s - interval '72 hours' AND NOT is_open
        ORDER BY started_at, id LIMIT %(limit)s) oldest
), old AS MATERIALIZED (
  SELECT h.* FROM messaging_handover h JOIN counted c ON c.id = h.id
  WHERE c.upto < %(limit)s + 1000 OR c.upto = h.last_attempt - h.first_attempt + 1
  FOR UPDATE OF h SKIP LOCKED
), gone AS (
  DELETE FROM messaging_handover h USING old WHERE h.id = old.id
)
UPDATE messaging_message m SET state = 'no_receipt', reason = 'no_receipt', final_at = %(at)s
FROM old JOIN messaging_attempt a
  ON a.id BETWEEN old.first_attempt AND old.last_attempt AND a.gateway_id = old.gateway_id AND a.epoch = old.epoch
WHERE m.id = a.message_id AND m.attempts = a.number AND m.state = 'accepted'
