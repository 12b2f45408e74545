-- What one rule does about one event, once: the firing, the dedupe window, the policy and the message.
-- `verdict` is `old` when the rules have changed since `in_stamp` (nothing is written), `earlier` when this rule has
-- answered this event before; otherwise it is the firing's outcome. The rule is locked against deletion before the
-- stamp is read, so that the firing cannot point at nothing at commit. A NULL text is a rule without a wording.
CREATE OR REPLACE FUNCTION rule_write(
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

  IF in_dedupe_seconds > 0 THEN
    -- one at a time for a rule and a member, or two facts at once would each miss the other; in a thousand drawers, so
    -- that a deed to a crowd does not fill the table of locks
    PERFORM pg_advisory_xact_lock((4105::bigint << 48) | (in_rule << 10) | (hashint8(in_member) & 1023));
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

  IF in_message_class <> 'marketing' AND NOT EXISTS (
    SELECT FROM messaging_budget b WHERE b.from_at <= in_at AND (b.until_at IS NULL OR in_at < b.until_at)
  ) THEN
    SELECT out_state, out_reason INTO state, explanation
    FROM sms_enqueue_one(
      in_phone, in_phone_hash, in_member, in_store, in_message_class, in_priority, in_language, in_text, in_encoding,
      in_parts, in_version, 'rule', firing, in_event, in_timezone, in_at, in_expires_at, in_refusal, in_at);
  ELSE
    SELECT out_state, out_reason INTO state, explanation
    FROM sms_enqueue(
      ARRAY[in_phone], ARRAY[in_phone_hash], ARRAY[in_member], ARRAY[in_store], ARRAY[in_message_class],
      ARRAY[in_priority], ARRAY[in_language], ARRAY[in_text], ARRAY[in_encoding], ARRAY[in_parts],
      ARRAY[in_version], ARRAY['rule'], ARRAY[firing], ARRAY[in_event], ARRAY[in_timezone], ARRAY[in_at],
      ARRAY[in_expires_at], ARRAY[in_refusal], in_at, in_opens, in_closes, in_per_day, in_per_month);
  END IF;
  IF state IN ('suppressed', 'expired') THEN
    verdict := 'not_sent';
    UPDATE campaigns_rulefiring SET outcome = verdict, reason = explanation WHERE id = firing;
  END IF;
END $$;

-- The same as a savepoint: `verdict` is `broken` with the error when anything failed, and the deed that brought the
-- event goes on.
CREATE OR REPLACE FUNCTION rule_fire(
  in_stamp uuid, in_rule bigint, in_dedupe_seconds int, in_event bigint, in_member bigint, in_store bigint,
  in_at timestamptz, in_phone text, in_phone_hash bytea, in_message_class text, in_priority smallint,
  in_version bigint, in_language text, in_text text, in_encoding text, in_parts smallint, in_refusal text,
  in_timezone text, in_expires_at timestamptz, in_opens time, in_closes time, in_per_day int, in_per_month int,
  OUT verdict text, OUT explanation text
) LANGUAGE plpgsql AS $$
BEGIN
  SELECT w.verdict, w.explanation INTO verdict, explanation
  FROM rule_write(in_stamp, in_rule, in_dedupe_seconds, in_event, in_member, in_store, in_at, in_phone, in_phone_hash,
                  in_message_class, in_priority, in_version, in_language, in_text, in_encoding, in_parts, in_refusal,
                  in_timezone, in_expires_at, in_opens, in_closes, in_per_day, in_per_month) w;
EXCEPTION WHEN OTHERS OR query_canceled THEN
  verdict := 'broken';
  explanation := SQLSTATE;
END $$;

-- An amount of minor units as money of two decimals is written: its sign, thousands, decimals (see domain/rides.py).
CREATE OR REPLACE FUNCTION rule_money(minor bigint, sign text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT sign || to_char(minor / 100, 'FM999,999,999,999,990') || '.' || lpad((minor % 100)::text, 2, '0')
$$;

-- Rules that ride in the statement of a deed (members/domain/riders.py): each one's text is finished with the figures
-- the deed left (`told`), and written. A ride is what rule_write takes, with "pieces": strings and {"of": placeholder,
-- "sign": sign of money or null}; "units" of the strings, "single" and "part" units of one part. Whatever does not go
-- as planned raises RG100: the deed then takes the general road, whose receivers answer one by one.
-- Answers how many texts wait to be sent.
CREATE OR REPLACE FUNCTION rule_ride(answer jsonb, rides jsonb, in_stamp uuid) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
  ride jsonb;
  piece jsonb;
  shown text;
  message text;
  units int;
  told jsonb := answer->'told';
  result text;
  queued int := 0;
BEGIN
  IF rides = '[]' AND in_stamp IS DISTINCT FROM (SELECT stamp FROM campaigns_rulebook) THEN
    RAISE EXCEPTION 'the general road: the rules have changed' USING ERRCODE = 'RG100';
  END IF;
  FOR ride IN SELECT value FROM jsonb_array_elements(rides) LOOP
    message := NULL;
    units := (ride->>'units')::int;
    IF ride->'pieces' <> 'null' THEN
      message := '';
      FOR piece IN SELECT value FROM jsonb_array_elements(ride->'pieces') LOOP
        IF jsonb_typeof(piece) = 'string' THEN
          message := message || (piece #>> '{}');
        ELSE
          shown := told->>(piece->>'of');
          IF piece->'sign' <> 'null' THEN shown := rule_money(shown::bigint, piece->>'sign'); END IF;
          message := message || shown;
          units := units + length(shown);
        END IF;
      END LOOP;
    END IF;
    SELECT w.verdict INTO result
    FROM rule_write(
      in_stamp, (ride->>'rule')::bigint, (ride->>'dedupe')::int, (answer->>'event')::bigint,
      (ride->>'member')::bigint, (ride->>'store')::bigint, (ride->>'at')::timestamptz, ride->>'phone',
      decode(ride->>'phone_hash', 'hex'), ride->>'class', (ride->>'priority')::smallint, (ride->>'version')::bigint,
      ride->>'language', message, ride->>'encoding',
      CASE WHEN units <= (ride->>'single')::int THEN 1 ELSE ceil(units::numeric / (ride->>'part')::int) END::smallint,
      ride->>'refusal', ride->>'timezone', (ride->>'expires_at')::timestamptz, (ride->>'opens')::time,
      (ride->>'closes')::time, (ride->>'per_day')::int, (ride->>'per_month')::int) w;
    IF result = 'old' THEN
      RAISE EXCEPTION 'the general road: the rules have changed' USING ERRCODE = 'RG100';
    END IF;
    IF result = 'sent' THEN queued := queued + 1; END IF;
  END LOOP;
  RETURN queued;
END $$;
