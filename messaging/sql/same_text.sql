-- The same text to the same number again within a while is not sent: a double click, a fact told twice, two rules that
-- say the same. Asked by sms_enqueue and sms_enqueue_one, and at the claim of those that were written in one instant and
-- did not see each other (claim_gate.sql).

-- How long that while is (SAME_TEXT_MINUTES, a day at most; 0: no guard). Read where it is judged: of many texts once,
-- of one only when an equal text was found.
CREATE OR REPLACE FUNCTION sms_same_text_window() RETURNS interval LANGUAGE sql STABLE AS $$
  SELECT coalesce((SELECT (c.value::jsonb->>'__value__')::int FROM constance_constance c
                   WHERE c.key = 'SAME_TEXT_MINUTES'), 10) * interval '1 minute'
$$;

-- Whether an event tells of a movement of value: a deed at the ledger stands behind it.
CREATE OR REPLACE FUNCTION sms_moved_value(in_event bigint)
RETURNS boolean LANGUAGE plpgsql STABLE SET enable_seqscan = off AS $$
BEGIN
  RETURN EXISTS (SELECT FROM members_membershipevent e WHERE e.id = in_event AND e.operation_id IS NOT NULL);
END $$;

-- Whether the guard is for this text. Not for a code (asked for again it is the same on purpose), an answer to the
-- member's own text, a test a person sends, nor what tells of a movement of value: two equal payments are two, and a
-- notice of a debit is never swallowed.
CREATE OR REPLACE FUNCTION sms_same_text_matters(in_class text, in_cause text, in_event bigint)
RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT in_class <> 'verification' AND in_cause NOT IN ('reply', 'test')
         AND (in_event IS NULL OR NOT (sms_moved_value(in_event) OR sms_is_debit_notice(in_class, in_event)))
$$;

-- The last twenty texts of a member, or of a number that is no member's.
CREATE OR REPLACE FUNCTION sms_texts_lately(in_member bigint, in_phone_hash bytea)
RETURNS TABLE (id bigint, phone_hash bytea, text text, state varchar, attempts smallint, message_class varchar,
               cause varchar, event_id bigint, created_at timestamptz) LANGUAGE sql STABLE AS $$
  (SELECT m.id, m.phone_hash, m.text, m.state, m.attempts, m.message_class, m.cause, m.event_id, m.created_at
   FROM messaging_message m WHERE m.member_id = in_member ORDER BY m.id DESC LIMIT 20)
  UNION ALL
  (SELECT m.id, m.phone_hash, m.text, m.state, m.attempts, m.message_class, m.cause, m.event_id, m.created_at
   FROM messaging_message m
   WHERE in_member IS NULL AND m.member_id IS NULL AND m.phone_hash = in_phone_hash ORDER BY m.id DESC LIMIT 20)
$$;

-- Whether a text like this one went, or is about to go, to the number lately. For the classes that are not marketing;
-- sms_enqueue looks at marketing with the caps.
CREATE OR REPLACE FUNCTION sms_same_text_lately(in_member bigint, in_phone_hash bytea, in_text text, in_at timestamptz)
RETURNS boolean LANGUAGE plpgsql STABLE SET enable_seqscan = off AS $$
BEGIN
  RETURN EXISTS (
    SELECT FROM sms_texts_lately(in_member, in_phone_hash) x
    WHERE x.phone_hash = in_phone_hash AND x.text = in_text
      AND x.state NOT IN ('suppressed', 'expired', 'cancelled', 'rejected')
      AND x.created_at > in_at - sms_same_text_window());
END $$;
