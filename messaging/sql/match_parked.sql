-- Receipts that came before the answer that names their id: matched now. `ids` NULL asks for all of the last 72 hours.
-- Gives the messages whose parts changed, and the parts whose receipt says that the number takes no texts of ours.
WITH parked AS MATERIALIZED (
  SELECT r.id, r.outcome, r.is_final, r.stat, r.err, p.id AS part_id
  FROM messaging_receipt r
  JOIN messaging_submittedpart p ON p.gateway_id = r.gateway_id AND p.provider_id = r.provider_id
  WHERE r.matched_at IS NULL
    AND (%(gateway)s::bigint IS NULL OR r.gateway_id = %(gateway)s)
    AND (%(ids)s::text[] IS NULL OR r.provider_id = ANY(%(ids)s))
    AND r.received_at > coalesce(%(at)s::timestamptz, now()) - interval '72 hours'
  FOR UPDATE OF r SKIP LOCKED
), matched AS (
  UPDATE messaging_receipt r SET matched_at = now(), phone = '' FROM parked WHERE r.id = parked.id
), best AS (
  SELECT part_id, CASE WHEN bool_or(outcome = 'delivered') THEN 'delivered' ELSE 'undelivered' END AS outcome
  FROM parked WHERE is_final AND outcome IN ('delivered', 'undelivered') GROUP BY part_id
), changed AS (
  UPDATE messaging_submittedpart p SET outcome = best.outcome FROM best
  WHERE p.id = best.part_id AND (p.outcome = '' OR (p.outcome = 'undelivered' AND best.outcome = 'delivered'))
  RETURNING p.message_id
)
SELECT (SELECT coalesce(array_agg(DISTINCT message_id), '{}') FROM changed),
       (SELECT coalesce(array_agg(DISTINCT part_id), '{}') FROM parked
        WHERE is_final AND (upper(btrim(stat)) = ANY(%(refusals)s::text[]) OR upper(btrim(err)) = ANY(%(refusals)s::text[])))
