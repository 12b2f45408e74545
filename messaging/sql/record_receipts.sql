-- Stores a batch of receipts raw and moves the parts they name; unknown ids stay parked (matched_at NULL). `delivered`
-- absorbs, `undelivered` gives way to it: any order and any repetition ends the same. A dead epoch stores nothing.
-- A message of one part that arrived is delivered at once. Gives the number of live leases (0 or 1) and the other
-- messages whose parts changed, to be counted again (fold.sql).
WITH lease AS MATERIALIZED (
  SELECT id FROM messaging_gateway WHERE id = %(gateway)s::bigint AND lease_epoch = %(epoch)s::bigint FOR SHARE
), news AS MATERIALIZED (
  SELECT r.*, p.id AS part_id
  FROM unnest(
    %(ids)s::text[], %(stats)s::text[], %(errs)s::text[], %(outcomes)s::text[], %(finals)s::boolean[], %(raws)s::text[],
    %(phones)s::text[]
  ) AS r (provider_id, stat, err, outcome, is_final, raw, phone)
  CROSS JOIN lease
  LEFT JOIN LATERAL (
    SELECT id FROM messaging_submittedpart
    WHERE gateway_id = %(gateway)s::bigint AND provider_id = r.provider_id OFFSET 0
  ) p ON true
), stored AS (
  INSERT INTO messaging_receipt
    (gateway_id, provider_id, stat, err, outcome, is_final, raw, phone, received_at, matched_at)
  SELECT %(gateway)s::bigint, provider_id, stat, err, outcome, is_final, raw, CASE WHEN part_id IS NULL THEN phone ELSE '' END, now(),
         CASE WHEN part_id IS NOT NULL THEN now() END
  FROM news
), best AS (
  SELECT part_id, CASE WHEN bool_or(outcome = 'delivered') THEN 'delivered' ELSE 'undelivered' END AS outcome
  FROM news WHERE part_id IS NOT NULL AND is_final AND outcome IN ('delivered', 'undelivered') GROUP BY part_id
), changed AS (
  UPDATE messaging_submittedpart p SET outcome = best.outcome FROM best
  WHERE p.id = best.part_id AND (p.outcome = '' OR (p.outcome = 'undelivered' AND best.outcome = 'delivered'))
  RETURNING p.message_id, p.outcome
), arrived AS (
  UPDATE messaging_message m SET state = 'delivered', reason = '', final_at = now()
  FROM (SELECT DISTINCT message_id FROM changed WHERE outcome = 'delivered') c
  WHERE m.id = c.message_id AND m.parts = 1
    AND m.state IN ('accepted', 'no_receipt', 'unknown', 'undelivered', 'uncertain')
  RETURNING m.id
)
SELECT (SELECT count(*) FROM lease),
       (SELECT coalesce(array_agg(DISTINCT message_id), '{}') FROM changed
        WHERE message_id NOT IN (SELECT id FROM arrived))
