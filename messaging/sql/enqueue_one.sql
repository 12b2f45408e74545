-- sms_enqueue for one text that is not marketing, the text of a deed: the same gates in the same order, without the set
-- around it (making the set's statement ready costs more than the text); of several gates that say no the first is
-- kept. A marketing text goes through the set, and so does every text while a budget is in force.
-- tests/messaging/test_enqueue_one.py holds the two together. Answers no state when the message was there before.
CREATE OR REPLACE FUNCTION sms_enqueue_one(
  in_phone text, in_phone_hash bytea, in_member bigint, in_store bigint, in_message_class text, in_priority smallint,
  in_language text, in_text text, in_encoding text, in_parts smallint, in_version bigint, in_cause text,
  in_cause_id bigint, in_event bigint, in_timezone text, in_due_at timestamptz, in_expires_at timestamptz,
  in_refusal text, in_at timestamptz, OUT out_state text, OUT out_reason text
) LANGUAGE plpgsql AS $$
BEGIN
  IF in_message_class = 'marketing' THEN RAISE EXCEPTION 'a marketing text is enqueued by sms_enqueue'; END IF;
  IF in_refusal <> '' THEN
    out_reason := in_refusal;
  ELSIF in_cause IN ('rule', 'api') AND in_message_class IN ('notification', 'trigger')
        AND EXISTS (SELECT FROM members_member m WHERE m.id = in_member AND NOT m.has_service_consent) THEN
    out_reason := 'no_consent';
  ELSIF in_message_class <> 'verification' AND in_cause <> 'reply'
        AND EXISTS (SELECT FROM messaging_suppression s
                    WHERE s.phone_hash = in_phone_hash AND s.lifted_at IS NULL AND s.scope = 'all') THEN
    out_reason := 'opted_out';
  ELSIF in_due_at >= in_expires_at THEN
    out_reason := 'too_late';
  ELSIF sms_same_text_matters(in_message_class, in_cause, in_event)
        AND sms_same_text_lately(in_member, in_phone_hash, in_text, in_at) THEN
    out_reason := 'duplicate';
  ELSE
    out_reason := '';
  END IF;
  out_state := CASE out_reason WHEN '' THEN 'queued' WHEN 'too_late' THEN 'expired' ELSE 'suppressed' END;
  INSERT INTO messaging_message
    (public_id, member_id, store_id, phone, phone_hash, message_class, priority, template_version_id, language,
     text, encoding, parts, cause, cause_id, event_id, timezone, state, reason, gates, due_at, expires_at, attempts,
     created_at, final_at)
  VALUES
    (uuidv7(), in_member, in_store, in_phone, in_phone_hash, in_message_class, in_priority, in_version,
     in_language, in_text, in_encoding, in_parts, in_cause, in_cause_id, in_event, in_timezone, out_state, out_reason,
     CASE out_reason WHEN 'no_consent' THEN 1 WHEN 'opted_out' THEN 2 WHEN 'too_late' THEN 4 WHEN 'duplicate' THEN 32 END,
     least(in_due_at, in_expires_at), in_expires_at, 0, in_at, CASE WHEN out_reason = '' THEN NULL ELSE in_at END)
  ON CONFLICT (cause, cause_id, phone) DO NOTHING
  RETURNING state, reason INTO out_state, out_reason;  -- as it stands: without a way it was kept back (routes.sql)
END $$;
