-- Whom a provider will not text because the person has said so to it, is not texted by us either. The attempts are those
-- that were just refused for it.
WITH told AS MATERIALIZED (
  SELECT DISTINCT m.phone_hash FROM messaging_attempt a JOIN messaging_message m ON m.id = a.message_id
  WHERE a.id = ANY(%(attempts)s::bigint[])
), locked AS MATERIALIZED (
  SELECT phone_hash, pg_advisory_xact_lock(sms_phone_key(phone_hash)) FROM told ORDER BY sms_phone_key(phone_hash)
)
INSERT INTO messaging_suppression (phone_hash, scope, source, at)
SELECT phone_hash, 'marketing', 'provider', now() FROM locked
ON CONFLICT DO NOTHING
