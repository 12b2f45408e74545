-- Texts that wait at a gateway which is not connected go by the next route that is. Nothing of them has been taken: what
-- has parts at a gateway stays there, and what is in doubt is not in the queue. Codes first, of the others any: those that
-- have no other way are not to hold up for ever those that have.
WITH stuck AS MATERIALIZED (
  SELECT m.id, m.gateway_id, sms_way(m, %(at)s) AS way
  FROM messaging_gateway g
  JOIN messaging_waiting w ON w.gateway_id = g.id AND w.state = 'queued' AND w.due_at <= %(at)s
  CROSS JOIN unnest(w.ids[w.taken + 1 :]) AS o (id)
  JOIN messaging_message m ON m.id = o.id AND m.gateway_id = g.id
  WHERE m.state = 'queued' AND m.due_at <= %(at)s AND m.cause <> 'test'
    AND (g.bind_state <> 'bound' OR g.lease_until IS NULL OR g.lease_until < %(at)s)
    AND EXISTS (SELECT 1 FROM messaging_route r JOIN messaging_gateway o ON o.id = r.gateway_id
                WHERE r.is_active AND o.is_active AND o.bind_state = 'bound' AND o.lease_until > %(at)s)
    AND NOT EXISTS (SELECT 1 FROM messaging_submittedpart p WHERE p.message_id = m.id)
  ORDER BY m.priority > 0, random()
  LIMIT %(limit)s
  FOR NO KEY UPDATE OF m SKIP LOCKED
)
UPDATE messaging_message m SET gateway_id = stuck.way
FROM stuck WHERE m.id = stuck.id AND stuck.way <> stuck.gateway_id
