-- What nobody could send in time does not go out late.
WITH counted AS MATERIALIZED (
  SELECT id, sum(cardinality(ids)) OVER (ORDER BY expires_at, id) AS upto
  FROM (SELECT id, ids, expires_at FROM messaging_waiting WHERE state IN ('held', 'queued', 'retry_wait') AND expires_at <= %(at)s
        ORDER BY expires_at, id LIMIT %(limit)s) oldest
), late AS MATERIALIZED (
  SELECT w.id, w.ids, w.taken FROM messaging_waiting w JOIN counted c ON c.id = w.id
  WHERE c.upto < %(limit)s + 1000
  FOR UPDATE OF w SKIP LOCKED
), gone AS (
  DELETE FROM messaging_waiting w USING late WHERE w.id = late.id
)
UPDATE messaging_message m SET state = 'expired', reason = 'too_late', final_at = %(at)s
FROM (SELECT DISTINCT unnest(ids[taken + 1 :]) AS id FROM late) o
WHERE m.id = o.id AND m.state IN ('held', 'queued', 'retry_wait') AND m.expires_at <= %(at)s
