-- Messages whose pause before the next try is over go back to the queue.
WITH over AS MATERIALIZED (
  SELECT id, ids FROM messaging_waiting WHERE state = 'retry_wait' AND due_at <= %(at)s AND expires_at > %(at)s
  ORDER BY due_at LIMIT %(limit)s
  FOR UPDATE SKIP LOCKED
), gone AS (
  DELETE FROM messaging_waiting w USING over WHERE w.id = over.id
)
UPDATE messaging_message m SET state = 'queued'
FROM (SELECT DISTINCT unnest(ids) AS id FROM over) o
WHERE m.id = o.id AND m.state = 'retry_wait' AND m.due_at <= %(at)s
