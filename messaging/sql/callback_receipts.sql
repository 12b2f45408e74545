-- Receipts that came by callback: record_receipts.sql without a lease, since no gateway process is asked. Stored raw,
-- unknown ids parked, any order and any repetition ends the same. Gives the messages whose parts changed.
WITH news AS MATERIALIZED (
  SELECT r.*, p.id AS part_id
  FROM unnest(
    %(ids)s::text[], %(stats)s::text[], %(errs)s::text[], %(outcomes)s::text[], %(finals)s::boolean[], %(raws)s::text[]
  ) AS r (provider_id, stat, err, outcome, is_final, raw)
  LEFT JOIN messaging_submittedpart p ON p.gateway_id = %(gateway)s::bigint AND p.provider_id = r.provider_id
), stored AS (
  INSERT INTO messaging_receipt
    (gateway_id, provider_id, stat, err, outcome, is_final, raw, received_at, matched_at)
  SELECT %(gateway)s::bigint, provider_id, stat, err, outcome, is_final, raw, %(at)s,
         CASE WHEN part_id IS NOT NULL THEN %(at)s::timestamptz END
  FROM news
), best AS (
  SELECT part_id, CASE WHEN bool_or(outcome = 'delivered') THEN 'delivered' ELSE 'undelivered' END AS outcome
  FROM news WHERE part_id IS NOT NULL AND is_final AND outcome IN ('delivered', 'undelivered') GROUP BY part_id
), changed AS (
  UPDATE messaging_submittedpart p SET outcome = best.outcome FROM best
  WHERE p.id = best.part_id AND (p.outcome = '' OR (p.outcome = 'undelivered' AND best.outcome = 'delivered'))
  RETURNING p.message_id
)
SELECT coalesce(array_agg(DISTINCT message_id), '{}') FROM changed
