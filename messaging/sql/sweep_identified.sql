-- A receipt whose id nobody has told us, because the answer was lost, can still say whose it is: by the phone it is
-- about. It counts as the receipt of a message in doubt only where nothing else can be meant: the one message to that
-- phone through that gateway in doubt, none to it on its way, and as many new ids as it has parts. What could be meant
-- twice stays in doubt. Gives the ids to the message; match_parked.sql and fold.sql do the rest.
WITH parked AS MATERIALIZED (
  SELECT gateway_id, ltrim(phone, '+') AS phone, array_agg(DISTINCT provider_id) AS ids, min(received_at) AS first_at
  FROM messaging_receipt
  WHERE matched_at IS NULL AND phone <> '' AND provider_id <> '' AND received_at > %(at)s - interval '72 hours'
  GROUP BY 1, 2
), doubt AS MATERIALIZED (
  SELECT DISTINCT m.id, m.gateway_id, ltrim(m.phone, '+') AS phone, m.parts, m.attempts, m.submitted_at
  FROM messaging_waiting w CROSS JOIN unnest(w.ids) AS o (id)
  CROSS JOIN LATERAL (
    SELECT * FROM messaging_message m WHERE m.id = o.id AND m.state = 'uncertain' OFFSET 0
  ) m
  WHERE w.state = 'uncertain' AND EXISTS (SELECT 1 FROM parked)
), on_its_way AS MATERIALIZED (
  SELECT ltrim(m.phone, '+') AS phone
  FROM messaging_handover h
  JOIN messaging_attempt a ON a.id BETWEEN h.first_attempt AND h.last_attempt AND a.outcome = ''
  JOIN messaging_message m ON m.id = a.message_id
  WHERE h.is_open AND EXISTS (SELECT 1 FROM doubt)
), meant AS (
  SELECT d.*, p.ids FROM doubt d JOIN parked p ON p.gateway_id = d.gateway_id AND p.phone = d.phone
  WHERE p.first_at >= d.submitted_at AND cardinality(p.ids) = d.parts
    AND (SELECT count(*) FROM doubt x WHERE x.phone = d.phone AND x.gateway_id = d.gateway_id) = 1
    AND d.phone NOT IN (SELECT phone FROM on_its_way)
    AND NOT EXISTS (SELECT 1 FROM messaging_submittedpart s WHERE s.message_id = d.id)
)
INSERT INTO messaging_submittedpart (message_id, attempt_id, gateway_id, part, provider_id, outcome)
SELECT m.id, a.id, m.gateway_id, n, m.ids[n], ''
FROM meant m
JOIN messaging_attempt a ON a.message_id = m.id AND a.number = m.attempts
CROSS JOIN LATERAL generate_subscripts(m.ids, 1) AS n
ON CONFLICT (gateway_id, provider_id) DO NOTHING
