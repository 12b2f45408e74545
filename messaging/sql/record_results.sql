-- Writes a batch of answers: the attempts, the provider's ids, and the messages they move. Safe to say twice (an answer
-- already noted changes nothing). What the sweep took for lost meanwhile still believes a yes and a definite no that lets
-- it go out again, never a rejection. Nothing moves that was claimed anew meanwhile (the attempt's number decides) or
-- whose epoch is dead. Gives the number of live leases (0 or 1), the messages whose parts are to be counted again, and
-- whether receipts wait for their id.
WITH lease AS MATERIALIZED (
  SELECT id FROM messaging_gateway WHERE id = %(gateway)s::bigint AND lease_epoch = %(epoch)s::bigint FOR SHARE
), answer AS MATERIALIZED (
  SELECT a.* FROM unnest(
    %(attempts)s::bigint[], %(outcomes)s::text[], %(raws)s::text[], %(states)s::text[], %(reasons)s::text[],
    %(waits)s::text[]
  ) AS a (attempt_id, outcome, raw, state, reason, wait) CROSS JOIN lease
), noted AS (
  UPDATE messaging_attempt t SET outcome = a.outcome, raw_status = a.raw, answered_at = now()
  FROM answer a WHERE t.id = a.attempt_id AND (t.outcome = '' OR (t.outcome = 'uncertain' AND a.state <> 'rejected'))
  RETURNING t.id, t.message_id, t.number, a.state, a.reason, nullif(a.wait, '')::float8 AS wait_seconds
), closed AS (
  UPDATE messaging_handover h SET is_open = false FROM lease
  WHERE h.id = ANY(%(handovers)s::bigint[]) AND h.is_open
), part AS (
  INSERT INTO messaging_submittedpart (message_id, attempt_id, gateway_id, part, provider_id, outcome)
  SELECT noted.message_id, noted.id, %(gateway)s::bigint, p.part, p.provider_id, ''
  FROM unnest(%(part_attempts)s::bigint[], %(part_numbers)s::smallint[], %(part_ids)s::text[])
    AS p (attempt_id, part, provider_id)
  JOIN noted ON noted.id = p.attempt_id
  ON CONFLICT (gateway_id, provider_id) DO NOTHING
), moved AS (
  UPDATE messaging_message m
  SET state = CASE WHEN m.state = 'uncertain' AND n.state = 'retry_wait' THEN 'queued' ELSE n.state END, reason = n.reason,
      due_at = CASE WHEN n.wait_seconds IS NULL THEN m.due_at ELSE now() + n.wait_seconds * interval '1 second' END,
      gateway_id = CASE WHEN n.state IN ('queued', 'retry_wait') AND n.id <> ALL(%(part_attempts)s::bigint[])
                             AND NOT EXISTS (SELECT 1 FROM messaging_submittedpart p WHERE p.message_id = m.id)
                        THEN NULL ELSE m.gateway_id END,
      final_at = CASE WHEN n.state = 'rejected' THEN now() END
  FROM noted n
  WHERE m.id = n.message_id AND m.attempts = n.number
    AND (m.state = 'submitting' OR (m.state = 'uncertain' AND n.state IN ('accepted', 'queued', 'retry_wait')))
  RETURNING m.id
)
SELECT (SELECT count(*) FROM lease),
       (SELECT coalesce(array_agg(message_id), '{}') FROM noted WHERE state = 'accepted' AND number > 1),
       EXISTS (SELECT 1 FROM messaging_receipt WHERE gateway_id = %(gateway)s::bigint AND matched_at IS NULL)
