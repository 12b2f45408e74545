-- Tries in doubt at gateways whose provider can be asked: the oldest after the one looked at last, and round to the oldest
-- of all, so that none waits for those that nobody can resolve. How many texts are in doubt to the same phone at the same
-- gateway says whether another could be meant.
WITH doubt AS MATERIALIZED (
  SELECT DISTINCT m.id, m.gateway_id, m.phone, m.text, m.attempts, m.submitted_at,
         m.message_class <> 'marketing' AND m.cause <> 'reply' AND m.expires_at > %(at)s AS may_go_again
  FROM messaging_waiting w CROSS JOIN unnest(w.ids) AS o (id)
  CROSS JOIN LATERAL (
    SELECT * FROM messaging_message m WHERE m.id = o.id AND m.state = 'uncertain' OFFSET 0
  ) m
  WHERE w.state = 'uncertain' AND m.gateway_id = ANY(%(gateways)s::bigint[])
)
SELECT d.gateway_id, d.id, a.number, d.may_go_again, a.id, d.phone, d.text, a.started_at,
       (SELECT count(*) FROM doubt x WHERE x.phone = d.phone AND x.gateway_id = d.gateway_id) > 1
FROM doubt d
JOIN messaging_attempt a ON a.message_id = d.id AND a.number = d.attempts AND a.outcome = 'uncertain'
WHERE a.started_at <= %(at)s - interval '1 minute' AND a.started_at > %(at)s - interval '72 hours'
ORDER BY a.id <= %(after)s, a.id LIMIT %(limit)s
