-- What nobody could send in time does not go out late.
WITH late AS MATERIALIZED (
  SELECT id FROM messaging_message WHERE state IN ('held', 'queued', 'retry_wait') AND expires_at <= %(at)s
  LIMIT %(limit)s
  FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE messaging_message m SET state = 'expired', reason = 'too_late', final_at = %(at)s
FROM late WHERE m.id = late.id
