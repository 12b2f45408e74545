-- Takes queued messages that are due, the most urgent first, passing over those another process holds and classes that
-- are paused. For marketing
-- the phone is locked too (shared), which an opt-out locks alone: none can commit between our reading and our commit.
-- A phone whose opt-out is being written right now is passed over. No reading of rules here: see claim_gate.sql.
WITH candidate AS MATERIALIZED (
  SELECT id, message_class, phone_hash FROM messaging_message
  WHERE state = 'queued' AND priority = ANY(sms_open_priorities(%(gateway)s::bigint, %(priorities)s::smallint[]))
    AND due_at <= coalesce(%(at)s::timestamptz, now())
    AND (gateway_id IS NULL OR gateway_id = %(gateway)s)
  ORDER BY priority, due_at, id
  LIMIT %(limit)s
  FOR NO KEY UPDATE SKIP LOCKED
)
SELECT id FROM candidate
WHERE message_class <> 'marketing' OR pg_try_advisory_xact_lock_shared(sms_phone_key(phone_hash))
