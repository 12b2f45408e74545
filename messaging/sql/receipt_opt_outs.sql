-- Whose carrier answered that the number takes no texts from us (messaging/gateways/refused_numbers.py) is not texted
-- again, as after a STOP. A receipt that is still parked names nobody yet: its part does, once
-- match_parked.sql has found it. Safe to repeat.
WITH told AS MATERIALIZED (
  SELECT DISTINCT m.phone_hash
  FROM messaging_submittedpart p JOIN messaging_message m ON m.id = p.message_id
  WHERE p.id = ANY(%(parts)s::bigint[])
     OR (p.gateway_id = %(gateway)s::bigint AND p.provider_id = ANY(%(ids)s::text[]))
), locked AS MATERIALIZED (
  SELECT phone_hash, pg_advisory_xact_lock(sms_phone_key(phone_hash)) FROM told ORDER BY sms_phone_key(phone_hash)
)
INSERT INTO messaging_suppression (phone_hash, scope, source, at)
SELECT phone_hash, 'marketing', 'carrier', now() FROM locked
ON CONFLICT DO NOTHING
