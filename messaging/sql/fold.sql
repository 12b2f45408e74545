-- What the parts of these messages say together: delivered when each part is, whichever attempt carried it; not
-- delivered when a part is lost and no copy of it is still open. In doubt about a part (`uncertain`) all must be there.
WITH part AS (
  SELECT message_id, part, bool_or(outcome = 'delivered') AS is_delivered, bool_or(outcome = '') AS is_open
  FROM messaging_submittedpart WHERE message_id = ANY(%(ids)s::bigint[])
  GROUP BY message_id, part
), whole AS (
  SELECT message_id, count(*) AS parts,
    CASE WHEN bool_and(is_delivered) THEN 'delivered'
         WHEN bool_or(NOT is_delivered AND NOT is_open) THEN 'undelivered' END AS state
  FROM part GROUP BY message_id
)
UPDATE messaging_message m
SET state = w.state, reason = CASE w.state WHEN 'undelivered' THEN 'not_delivered' ELSE '' END,
    final_at = coalesce(%(at)s::timestamptz, now())
FROM whole w
WHERE m.id = w.message_id AND w.state IS NOT NULL AND m.state <> w.state
  AND (m.state IN ('accepted', 'no_receipt', 'unknown')
       OR (m.state = 'undelivered' AND w.state = 'delivered')
       OR (m.state = 'uncertain' AND w.parts >= m.parts))
