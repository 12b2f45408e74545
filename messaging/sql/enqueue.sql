-- The policy and the outbox in one statement: each draft becomes one message, queued or with the reason why not.
-- A single message is a set of one, so the rules exist once. Order of the gates is the order of the CASE; every gate
-- is asked (how often only of who agreed), and those that said no are kept as bits (messaging/states.py, GATES)
-- beside the first one's reason. A marketing text for a moment of its reader's own (of a trigger rule, or so said) may use
-- the whole cap of the month; any other leaves `in_reserved` of it free. Marketing waits for nobody's reading: while a
-- text of theirs lies unread before a person it is not sent, for it may say what no grammar understood.
-- Its plan is made once a session (forced: a plan for each call costs four times the call) and by index whatever the
-- statistics say: one made while a table was empty would read the whole of it when it no longer is.
-- The nudge to the gateways is not in here: a transaction that holds a NOTIFY commits alone, fsync included, and the
-- whole house would wait in one line.
CREATE OR REPLACE FUNCTION sms_enqueue(
  in_phone text[], in_phone_hash bytea[], in_member_id bigint[], in_store_id bigint[], in_message_class text[],
  in_priority smallint[], in_language text[], in_text text[], in_encoding text[], in_parts smallint[],
  in_version_id bigint[], in_cause text[], in_cause_id bigint[], in_event_id bigint[], in_timezone text[],
  in_due_at timestamptz[], in_expires_at timestamptz[], in_refusal text[],
  in_at timestamptz, in_opens time, in_closes time, in_per_day int, in_per_month int,
  in_is_personal boolean DEFAULT false, in_reserved int DEFAULT 0
) RETURNS TABLE (out_cause varchar, out_cause_id bigint, out_phone varchar, out_id bigint, out_state varchar,
                 out_reason varchar)
LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
DECLARE
  same_for interval := sms_same_text_window();
BEGIN
RETURN QUERY
WITH draft AS (
  SELECT * FROM unnest(
    in_phone, in_phone_hash, in_member_id, in_store_id,
    in_message_class, in_priority, in_language, in_text,
    in_encoding, in_parts, in_version_id, in_cause,
    in_cause_id, in_event_id, in_timezone, in_due_at,
    in_expires_at, in_refusal
  ) WITH ORDINALITY AS d (phone, phone_hash, member_id, store_id, message_class, priority, language, text, encoding, parts,
          version_id, cause, cause_id, event_id, timezone, due_at, expires_at, refusal, number)
), opening AS MATERIALIZED (  -- of each moment, zone and calling code (three digits tell a country's rules), once
  SELECT due_at, timezone, country, sms_next_opening(due_at, timezone, country, in_opens, in_closes) AS opens_at
  FROM (SELECT DISTINCT due_at, timezone, substr(phone, 1, 4) AS country FROM draft
        WHERE message_class = 'marketing') marketing
), timed AS (
  SELECT d.*, coalesce(o.opens_at, d.due_at) AS leaves_at,
         d.message_class = 'marketing' AND (in_is_personal OR d.cause = 'rule') AS is_personal,
         row_number() OVER (PARTITION BY d.phone_hash, d.text, d.message_class, d.cause, d.refusal, d.due_at, d.expires_at
                            ORDER BY d.number) > 1 AS is_again  -- of drafts alike, those after the first
  FROM draft d
  LEFT JOIN opening o ON d.message_class = 'marketing' AND o.due_at = d.due_at AND o.timezone = d.timezone
                         AND o.country = substr(d.phone, 1, 4)
), asked AS (
  SELECT t.*, n.*, coalesce(l.had[1], false) AS is_capped,
         coalesce(l.had[2], false) OR (n.is_guarded AND t.is_again AND same_for > interval '0') AS is_said
  FROM timed t
  LEFT JOIN LATERAL (
    SELECT has_marketing_consent, has_service_consent FROM members_member m WHERE m.id = t.member_id OFFSET 0
  ) m ON true
  CROSS JOIN LATERAL (
    SELECT
      (t.message_class = 'marketing' AND NOT coalesce(m.has_marketing_consent, false))
        OR (t.cause IN ('rule', 'api') AND t.message_class IN ('notification', 'trigger')
            AND NOT coalesce(m.has_service_consent, true)) AS lacks_consent,
      (t.message_class = 'marketing' OR (t.message_class <> 'verification' AND t.cause <> 'reply'))
        AND EXISTS (SELECT 1 FROM messaging_suppression s
                    WHERE s.phone_hash = t.phone_hash AND s.lifted_at IS NULL
                      AND (s.scope = 'all' OR t.message_class = 'marketing')) AS is_opted_out,
      t.message_class = 'marketing'
        AND EXISTS (SELECT 1 FROM messaging_conversation c
                    WHERE c.phone = t.phone AND c.is_unread AND c.status = 'open') AS is_unread,
      t.leaves_at >= t.expires_at AS is_late,
      sms_same_text_matters(t.message_class, t.cause, t.event_id) AS is_guarded,
      t.leaves_at > t.due_at AS is_quiet
    OFFSET 0  -- each question once, though its answer is used twice
  ) n
  CROSS JOIN LATERAL (  -- what the number was sent lately: enough marketing, this very text
    SELECT CASE
      WHEN t.message_class = 'marketing' AND coalesce(m.has_marketing_consent, false) THEN (
        SELECT ARRAY[
          count(*) FILTER (WHERE x.created_at > in_at - interval '24 hours') >= in_per_day
            OR count(*) >= in_per_month - CASE WHEN t.is_personal THEN 0 ELSE in_reserved END,
          n.is_guarded AND bool_or(x.created_at > in_at - interval '24 hours' AND x.text = t.text
                                   AND x.created_at > in_at - same_for)]
        FROM messaging_message x
        WHERE x.phone_hash = t.phone_hash AND x.message_class = 'marketing'
          AND x.created_at > in_at - interval '30 days'
          AND x.state NOT IN ('suppressed', 'expired', 'cancelled', 'rejected'))
      WHEN t.message_class <> 'marketing' AND n.is_guarded
        THEN ARRAY[false, sms_same_text_lately(t.member_id, t.phone_hash, t.text, in_at)]
    END AS had
    OFFSET 0
  ) l
), judged AS (
  SELECT a.*,
    CASE
      WHEN a.refusal <> '' THEN a.refusal
      WHEN a.lacks_consent THEN 'no_consent'
      WHEN a.is_opted_out THEN 'opted_out'
      WHEN a.is_unread THEN 'unread'
      WHEN a.is_late THEN 'too_late'
      WHEN a.is_capped THEN 'frequency'
      WHEN a.is_said THEN 'duplicate'
      WHEN a.is_quiet THEN 'quiet_hours'
      ELSE ''
    END AS reason,
    nullif(a.lacks_consent::int + 2 * a.is_opted_out::int + 4 * a.is_late::int + 8 * a.is_capped::int
           + 16 * a.is_quiet::int + 32 * a.is_said::int + 128 * a.is_unread::int, 0)::smallint AS gates
  FROM asked a
), afforded AS MATERIALIZED (
  SELECT * FROM sms_budget_judge(
    in_store_id, in_message_class, in_cause, in_cause_id, in_event_id, in_phone,
    (SELECT array_agg(CASE WHEN j.reason IN ('', 'quiet_hours') THEN j.parts ELSE 0::smallint END ORDER BY j.number)
     FROM judged j),
    in_at)
), decided AS (
  SELECT j.*, coalesce(a.reserved, 0) AS reserved,
    CASE WHEN a.is_refused AND j.reason IN ('', 'quiet_hours') THEN 'budget' ELSE j.reason END AS verdict,
    nullif(coalesce(j.gates, 0) + CASE WHEN a.is_refused THEN 64 ELSE 0 END, 0)::smallint AS noes  -- asked of what may go
  FROM judged j LEFT JOIN afforded a ON a.number = j.number
), written AS (
  INSERT INTO messaging_message
    (public_id, member_id, store_id, phone, phone_hash, message_class, priority, template_version_id, language,
     text, encoding, parts, cause, cause_id, event_id, timezone, state, reason, gates, due_at, expires_at,
     attempts, created_at, final_at, reserved_milli, is_personal)
  SELECT uuidv7(), j.member_id, j.store_id, j.phone, j.phone_hash, j.message_class, j.priority,
     j.version_id, j.language, j.text, j.encoding, j.parts, j.cause, j.cause_id, j.event_id, j.timezone,
     CASE j.verdict WHEN '' THEN 'queued' WHEN 'quiet_hours' THEN 'queued' WHEN 'too_late' THEN 'expired'
                 ELSE 'suppressed' END,
     j.verdict, j.noes, least(j.leaves_at, j.expires_at), j.expires_at, 0, in_at,
     CASE WHEN j.verdict IN ('', 'quiet_hours') THEN NULL ELSE in_at END,
     CASE WHEN j.verdict IN ('', 'quiet_hours') THEN j.reserved ELSE 0 END, j.is_personal
  FROM decided j
  ORDER BY j.number
  ON CONFLICT (cause, cause_id, phone) DO NOTHING
  RETURNING id, phone, cause, cause_id, state, reason, store_id, message_class, event_id, reserved_milli
), aside AS MATERIALIZED (
  SELECT sms_budget_put_aside(array_agg(w.store_id), array_agg(w.message_class::text), array_agg(w.cause::text),
    array_agg(w.cause_id), array_agg(w.event_id), array_agg(w.reserved_milli::bigint), in_at)
  FROM written w WHERE w.reserved_milli > 0
)
SELECT w.cause, w.cause_id, w.phone, w.id, w.state, w.reason
FROM written w CROSS JOIN aside;
END $$;
