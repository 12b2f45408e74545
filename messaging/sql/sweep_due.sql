-- Messages whose pause before the next try is over go back to the queue.
WITH due AS MATERIALIZED (
  SELECT id FROM messaging_message WHERE state = 'retry_wait' AND due_at <= %(at)s AND expires_at > %(at)s
  LIMIT %(limit)s
  FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE messaging_message m SET state = 'queued' FROM due WHERE m.id = due.id
