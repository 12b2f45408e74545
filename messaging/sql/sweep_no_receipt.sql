-- Taken by the gateway 72 hours ago and never heard of again.
WITH silent AS MATERIALIZED (
  SELECT id FROM messaging_message WHERE state = 'accepted' AND submitted_at <= %(at)s - interval '72 hours'
  LIMIT %(limit)s
  FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE messaging_message m SET state = 'no_receipt', reason = 'no_receipt', final_at = %(at)s
FROM silent WHERE m.id = silent.id
