-- One rule answers one event, once: the firing, the dedupe window, the policy and the message in one round trip.
-- `verdict` is `old` when the rules have changed since `in_stamp` (nothing is written), `earlier` when this rule has
-- answered this event before, `broken` with the error when anything failed: the block is a savepoint, so the deed that
-- brought the event goes on. Otherwise it is the firing's outcome. The rule is locked against deletion before the
-- stamp is read, so that the firing cannot point at nothing at commit. A NULL text is a rule without a wording.
CREATE FUNCTION rule_fire(
  in_stamp uuid, in_rule bigint, in_dedupe_seconds int, in_event bigint, in_member bigint, in_store bigint,
  in_at timestamptz, in_phone text, in_phone_hash bytea, in_message_class text, in_priority smallint,
  in_version bigint, in_language text, in_text text, in_encoding text, in_parts smallint, in_refusal text,
  in_timezone text, in_expires_at timestamptz, in_opens time, in_closes time, in_per_day int, in_per_month int,
  OUT verdict text, OUT explanation text
) LANGUAGE plpgsql AS $$
DECLARE
  firing bigint;
  state text;
BEGIN
  explanation := '';
  PERFORM FROM campaigns_triggerrule WHERE id = in_rule FOR KEY SHARE;
  IF NOT FOUND OR in_stamp IS DISTINCT FROM (SELECT stamp FROM campaigns_rulebook) THEN
    verdict := 'old';
    RETURN;
  END IF;

  IF in_dedupe_seconds > 0 AND EXISTS (
    SELECT FROM campaigns_rulefiring f
    WHERE f.rule_id = in_rule AND f.member_id = in_member AND f.outcome = 'sent' AND f.event_id <> in_event
      AND f.at > in_at - in_dedupe_seconds * interval '1 second'
  ) THEN
    explanation := 'duplicate';
  ELSIF in_text IS NULL THEN
    explanation := in_refusal;
  END IF;
  verdict := CASE explanation WHEN '' THEN 'sent' ELSE 'not_sent' END;

  INSERT INTO campaigns_rulefiring (rule_id, event_id, member_id, outcome, reason, at)
  VALUES (in_rule, in_event, in_member, verdict, explanation, in_at)
  ON CONFLICT (rule_id, event_id) DO NOTHING
  RETURNING id INTO firing;
  IF firing IS NULL THEN
    verdict := 'earlier';
    RETURN;
  END IF;
  IF verdict = 'not_sent' THEN
    RETURN;
  END IF;

  SELECT out_state, out_reason INTO state, explanation
  FROM sms_enqueue(
    ARRAY[in_phone], ARRAY[in_phone_hash], ARRAY[in_member], ARRAY[in_store], ARRAY[in_message_class],
    ARRAY[in_priority], ARRAY[in_language], ARRAY[in_text], ARRAY[in_encoding], ARRAY[in_parts],
    ARRAY[in_version], ARRAY['rule'], ARRAY[firing], ARRAY[in_event], ARRAY[in_timezone], ARRAY[in_at],
    ARRAY[in_expires_at], ARRAY[in_refusal], in_at, in_opens, in_closes, in_per_day, in_per_month);
  IF state IN ('suppressed', 'expired') THEN
    verdict := 'not_sent';
    UPDATE campaigns_rulefiring SET outcome = verdict, reason = explanation WHERE id = firing;
  END IF;
EXCEPTION WHEN OTHERS OR query_canceled THEN
  verdict := 'broken';
  explanation := SQLSTATE;
END $$;
