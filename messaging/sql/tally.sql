-- Counts the tries that began since `since` anew, by gateway, class and hour, with what has become of them. The last try
-- of a message carries its fate; a part costs what the gateway asked for such numbers at the hour's end.
WITH reach AS MATERIALIZED (
  SELECT coalesce(max(length(prefix)), 0) AS digits FROM messaging_gatewayprice
), tried AS MATERIALIZED (
  SELECT a.gateway_id, m.message_class, date_trunc('hour', a.started_at) AS hour_at,
         left(m.phone, (SELECT digits FROM reach)) AS start, count(*) AS tries,
         count(*) FILTER (WHERE a.outcome = 'accepted') AS accepted,
         count(*) FILTER (WHERE a.outcome IN ('permanent', 'retry', 'throttle', 'stop_bind')) AS refused,
         count(*) FILTER (WHERE a.outcome IN ('', 'uncertain')) AS unanswered,
         count(*) FILTER (WHERE a.number = m.attempts AND m.state = 'delivered') AS delivered,
         count(*) FILTER (WHERE a.number = m.attempts AND m.state = 'undelivered') AS undelivered,
         count(*) FILTER (WHERE a.number = m.attempts AND m.state = 'no_receipt') AS no_receipt,
         coalesce(sum(m.parts) FILTER (WHERE a.outcome = 'accepted'), 0) AS parts
  FROM messaging_attempt a JOIN messaging_message m ON m.id = a.message_id
  WHERE a.started_at >= date_trunc('hour', %(since)s::timestamptz)
  GROUP BY 1, 2, 3, 4
)
INSERT INTO messaging_tally (gateway_id, message_class, hour_at, tries, accepted, refused, unanswered, delivered,
                             undelivered, no_receipt, parts, cost_milli)
SELECT gateway_id, message_class, hour_at, sum(tries), sum(accepted), sum(refused), sum(unanswered), sum(delivered),
       sum(undelivered), sum(no_receipt), sum(parts),
       sum(parts * sms_part_price(gateway_id, start, hour_at + interval '1 hour'))
FROM tried GROUP BY 1, 2, 3
ON CONFLICT (hour_at, gateway_id, message_class) DO UPDATE SET
  tries = excluded.tries, accepted = excluded.accepted, refused = excluded.refused, unanswered = excluded.unanswered,
  delivered = excluded.delivered, undelivered = excluded.undelivered, no_receipt = excluded.no_receipt,
  parts = excluded.parts, cost_milli = excluded.cost_milli
