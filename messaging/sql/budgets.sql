-- What texts cost, and the budgets that hold it. Amounts are in thousandths of a minor unit. No row is everybody's: a
-- budget is used in several rows, and whoever writes takes one that nobody holds. Only near a budget's end, or for much
-- at once, do those who write stand in line, so that no two take the last coin; and no longer than a moment: nobody's
-- money waits for a text. A run at its launch is alone too (messaging/domain/budgets.py).

-- The price of a part at a gateway at a moment: that of the longest beginning of the number, as it stood then.
CREATE OR REPLACE FUNCTION sms_part_price(in_gateway bigint, in_phone text, in_at timestamptz)
RETURNS bigint LANGUAGE sql STABLE AS $$
  SELECT coalesce((
    SELECT p.price_milli FROM messaging_gatewayprice p
    WHERE p.gateway_id = in_gateway AND starts_with(in_phone, p.prefix) AND p.from_at <= in_at
    ORDER BY length(p.prefix) DESC, p.from_at DESC LIMIT 1), 0)
$$;

-- What is put aside for a part: the price of the dearest gateway in use, since nobody knows yet which will take it.
CREATE OR REPLACE FUNCTION sms_dearest_price(in_phone text, in_at timestamptz)
RETURNS bigint LANGUAGE sql STABLE AS $$
  SELECT coalesce(max(sms_part_price(g.id, in_phone, in_at)), 0) FROM messaging_gateway g WHERE g.is_active
$$;

-- A gateway's own price, kept with the moment from which it holds (called by a trigger of the gateway).
CREATE OR REPLACE FUNCTION sms_price_changed(in_gateway bigint, in_price_minor bigint)
RETURNS void LANGUAGE sql AS $$
  INSERT INTO messaging_gatewayprice (gateway_id, prefix, price_milli, from_at)
  SELECT in_gateway, '', in_price_minor * 1000,
         CASE WHEN EXISTS (SELECT FROM messaging_gatewayprice WHERE gateway_id = in_gateway AND prefix = '')
              THEN clock_timestamp() ELSE timestamptz '2000-01-01 00:00+00' END
  WHERE in_price_minor * 1000 IS DISTINCT FROM (
    SELECT price_milli FROM messaging_gatewayprice WHERE gateway_id = in_gateway AND prefix = ''
    ORDER BY from_at DESC LIMIT 1)
$$;

-- The first day of a budget's period at a moment.
CREATE OR REPLACE FUNCTION sms_budget_period(in_period text, in_zone text, in_at timestamptz)
RETURNS date LANGUAGE sql STABLE AS $$
  SELECT CASE in_period WHEN 'day' THEN (in_at AT TIME ZONE in_zone)::date
                        WHEN 'month' THEN date_trunc('month', in_at AT TIME ZONE in_zone)::date
                        ELSE date '2000-01-01' END
$$;

-- A notice of a debit: nobody may keep it from the member, no budget either.
CREATE OR REPLACE FUNCTION sms_is_debit_notice(in_class text, in_event bigint)
RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT in_event IS NOT NULL AND in_class IN ('notification', 'trigger') AND EXISTS (
    SELECT FROM members_membershipevent e WHERE e.id = in_event
      AND e.type IN ('card_spent', 'points_redeemed', 'service_taken', 'value_sent', 'value_adjusted', 'recharge_refunded'))
$$;

-- For whom a text goes out: who reported the event it answers, or who asked for the code it carries. A budget of an API key
-- is for what was reported and asked with it: its subject is that source.
CREATE OR REPLACE FUNCTION sms_source_of(in_event bigint, in_cause text, in_cause_id bigint)
RETURNS text LANGUAGE plpgsql STABLE SET enable_seqscan = off AS $$
BEGIN
  IF in_event IS NOT NULL THEN
    RETURN (SELECT e.source FROM members_membershipevent e WHERE e.id = in_event);
  ELSIF in_cause = 'code' THEN
    RETURN (SELECT c.source FROM messaging_verificationcode c WHERE c.id = in_cause_id);
  END IF;
  RETURN NULL;
END $$;

-- Adds to a budget's period, in a row that no other transaction holds; waits for nobody.
CREATE OR REPLACE FUNCTION sms_budget_note(
  in_budget bigint, in_period date, in_protected boolean, in_reserved bigint, in_charged bigint, in_released bigint
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE spot bigint;
BEGIN
  IF in_reserved = 0 AND in_charged = 0 AND in_released = 0 THEN RETURN; END IF;
  SELECT u.id INTO spot FROM messaging_budgetuse u
  WHERE u.budget_id = in_budget AND u.period_on = in_period AND u.is_protected = in_protected
  ORDER BY u.id LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED;
  IF spot IS NULL THEN
    INSERT INTO messaging_budgetuse
      (budget_id, period_on, is_protected, reserved_milli, charged_milli, released_milli)
    VALUES (in_budget, in_period, in_protected, in_reserved, in_charged, in_released);
  ELSE
    UPDATE messaging_budgetuse u SET reserved_milli = u.reserved_milli + in_reserved,
      charged_milli = u.charged_milli + in_charged, released_milli = u.released_milli + in_released
    WHERE u.id = spot;
  END IF;
END $$;

-- Stands in line for a budget until the end of the transaction; whoever has not had its turn by then goes on without.
CREATE OR REPLACE FUNCTION sms_budget_alone(in_budget bigint, in_until timestamptz)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  LOOP
    EXIT WHEN pg_try_advisory_xact_lock(4105, in_budget::int) OR clock_timestamp() >= in_until;
    PERFORM pg_sleep(0.005);
  END LOOP;
END $$;

-- What each of these texts would need aside, and whether a budget says no. Nothing is written. Rows come only while a
-- budget is in force. Counted once more, with what was committed meanwhile, when a budget is near its end.
CREATE OR REPLACE FUNCTION sms_budget_judge(
  in_store bigint[], in_class text[], in_cause text[], in_cause_id bigint[], in_event bigint[], in_phone text[],
  in_parts smallint[], in_at timestamptz
) RETURNS TABLE (number bigint, reserved bigint, is_refused boolean) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  turn timestamptz := clock_timestamp() + interval '0.3 seconds';
  near bigint[];
BEGIN
  IF NOT EXISTS (SELECT FROM messaging_budget b
                 WHERE b.from_at <= in_at AND (b.until_at IS NULL OR in_at < b.until_at)) THEN
    RETURN;
  END IF;
  SELECT array_agg(DISTINCT b ORDER BY b) INTO near
  FROM sms_budget_count(in_store, in_class, in_cause, in_cause_id, in_event, in_phone, in_parts, in_at) c, unnest(c.near) b;
  FOR place IN 1 .. coalesce(cardinality(near), 0) LOOP
    PERFORM sms_budget_alone(near[place], turn);
  END LOOP;
  RETURN QUERY SELECT c.number, c.reserved, c.is_refused
  FROM sms_budget_count(in_store, in_class, in_cause, in_cause_id, in_event, in_phone, in_parts, in_at) c;
END $$;

-- The same as things are committed now, with the budgets that are near their end: of which less than a twentieth would be
-- left, or which are asked for more than a thousandth. What a purse holds aside is not asked for again; a notice of a
-- debit goes out in any case. In the order given, each text stands on those before it. Texts that are not protected stop
-- before the protected share; a code stops when the whole amount is used; a notice of a debit never does.
CREATE OR REPLACE FUNCTION sms_budget_count(
  in_store bigint[], in_class text[], in_cause text[], in_cause_id bigint[], in_event bigint[], in_phone text[],
  in_parts smallint[], in_at timestamptz
) RETURNS TABLE (number bigint, reserved bigint, is_refused boolean, near bigint[]) LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN QUERY
  WITH draft AS MATERIALIZED (
    SELECT d.*, left(d.phone, (SELECT coalesce(max(length(prefix)), 0) FROM messaging_gatewayprice)) AS start,
           sms_is_debit_notice(d.class, d.event_id) AS is_debit
    FROM unnest(in_store, in_class, in_cause, in_cause_id, in_event, in_phone, in_parts) WITH ORDINALITY
      AS d (store_id, class, cause, cause_id, event_id, phone, parts, n)
  ), price AS MATERIALIZED (
    SELECT s.start, sms_dearest_price(s.start, in_at) AS milli FROM (SELECT DISTINCT start FROM draft) s
  ), priced AS MATERIALIZED (
    SELECT d.n, d.store_id, sms_source_of(d.event_id, d.cause, d.cause_id) AS source, d.is_debit,
           d.is_debit OR d.class = 'verification' AS is_protected, d.parts * price.milli AS milli,
           p.id AS purse_id, p.budget_id, p.opened_at,
           p.reserved_milli - p.drawn_milli AS purse_left
    FROM draft d JOIN price ON price.start = d.start
    LEFT JOIN messaging_purse p ON p.cause = d.cause AND p.cause_id = d.cause_id AND p.closed_at IS NULL
  ), budget AS MATERIALIZED (
    SELECT b.*, sms_budget_period(b.period, b.timezone, in_at) AS period_on, b.amount_minor * 1000 AS cap,
           b.amount_minor * 10 * b.protected_percent AS share
    FROM messaging_budget b
    WHERE b.from_at <= in_at AND (b.until_at IS NULL OR in_at < b.until_at)
  ), used AS MATERIALIZED (
    SELECT b.id,
      coalesce(sum(u.reserved_milli - u.released_milli) FILTER (WHERE u.is_protected), 0) AS protected,
      coalesce(sum(u.reserved_milli - u.released_milli) FILTER (WHERE NOT u.is_protected), 0) AS other
    FROM budget b LEFT JOIN messaging_budgetuse u ON u.budget_id = b.id AND u.period_on = b.period_on
    GROUP BY b.id
  ), asked AS (
    SELECT p.n, p.milli, p.is_debit, p.is_protected, b.id AS budget_id, b.cap, b.share, used.protected, used.other,
      sum(p.milli) OVER all_before AS running,
      sum(CASE WHEN p.is_protected THEN 0 ELSE p.milli END) OVER all_before AS running_other,
      sum(CASE WHEN p.is_debit THEN 0 ELSE p.milli END) OVER all_before AS running_asked,
      CASE WHEN sms_budget_period(b.period, b.timezone, p.opened_at) = b.period_on
           THEN coalesce(p.purse_left, 0) ELSE 0 END AS aside
    FROM priced p
    JOIN budget b ON b.scope = 'house' OR (b.scope = 'store' AND b.store_id = p.store_id) OR b.id = p.budget_id
      OR (b.scope = 'api_key' AND b.subject = p.source)
    JOIN used ON used.id = b.id
    WINDOW all_before AS (PARTITION BY b.id ORDER BY p.is_protected DESC, p.n)
  )
  SELECT a.n, max(a.milli)::bigint, bool_or(CASE
    WHEN a.is_debit THEN false
    WHEN a.protected + a.other + a.running - a.aside > a.cap THEN true
    ELSE NOT a.is_protected AND a.other + a.running_other - a.aside > a.cap - a.share END),
    array_agg(a.budget_id) FILTER (WHERE a.milli > 0 AND NOT a.is_debit AND a.running_asked > a.aside AND (
      a.running_asked - a.aside > a.cap / 1000
      OR a.protected + a.other + a.running - a.aside > a.cap - a.cap / 20
      OR (NOT a.is_protected AND a.other + a.running_other - a.aside > a.cap - a.share - a.cap / 20)))
  FROM asked a GROUP BY a.n;
END $$;

-- Puts aside what these written texts need, under every budget of theirs. Texts of a purse draw on it first: that money
-- is aside already. Gives how many budgets were touched.
CREATE OR REPLACE FUNCTION sms_budget_put_aside(
  in_store bigint[], in_class text[], in_cause text[], in_cause_id bigint[], in_event bigint[], in_reserved bigint[],
  in_at timestamptz
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE noted bigint;
BEGIN
  IF coalesce((SELECT sum(r) FROM unnest(in_reserved) r), 0) = 0 THEN RETURN 0; END IF;
  WITH need AS MATERIALIZED (
    SELECT d.store_id, d.cause, d.cause_id, sms_source_of(d.event_id, d.cause, d.cause_id) AS source,
           d.class = 'verification' OR sms_is_debit_notice(d.class, d.event_id) AS is_protected, sum(d.milli)::bigint AS milli
    FROM unnest(in_store, in_class, in_cause, in_cause_id, in_event, in_reserved)
      AS d (store_id, class, cause, cause_id, event_id, milli)
    GROUP BY 1, 2, 3, 4, 5
  ), asked AS MATERIALIZED (
    SELECT p.id, p.opened_at, p.budget_id, p.reserved_milli - p.drawn_milli AS remainder, n.milli
    FROM messaging_purse p JOIN (
      SELECT cause, cause_id, sum(milli)::bigint AS milli FROM need WHERE NOT is_protected GROUP BY 1, 2
    ) n ON n.cause = p.cause AND n.cause_id = p.cause_id
    WHERE p.closed_at IS NULL
    ORDER BY p.id FOR NO KEY UPDATE OF p
  ), drawn AS (
    UPDATE messaging_purse p SET drawn_milli = p.drawn_milli + least(a.milli, a.remainder)
    FROM asked a WHERE p.id = a.id AND a.remainder > 0
    RETURNING p.cause, p.cause_id, p.store_id, a.opened_at, least(a.milli, a.remainder) AS milli
  ), moves AS (
    SELECT n.store_id, n.cause, n.cause_id, n.source, n.is_protected, in_at AS moment, n.milli AS reserved, 0::bigint AS released
    FROM need n
    UNION ALL
    SELECT d.store_id, d.cause, d.cause_id, NULL, false, d.opened_at, 0, d.milli FROM drawn d
  ), summed AS (
    -- drawn money of the same period changes nothing: it is reserved once, and the release is taken off again
    SELECT b.id, sms_budget_period(b.period, b.timezone, m.moment) AS period_on, m.is_protected,
           sum(m.reserved)::bigint AS reserved, sum(m.released)::bigint AS released
    FROM moves m
    LEFT JOIN messaging_purse p ON p.cause = m.cause AND p.cause_id = m.cause_id
    JOIN messaging_budget b ON (b.scope = 'house' OR (b.scope = 'store' AND b.store_id = m.store_id) OR b.id = p.budget_id
        OR (b.scope = 'api_key' AND b.subject = m.source))
      AND b.from_at <= m.moment AND (b.until_at IS NULL OR m.moment < b.until_at)
    GROUP BY 1, 2, 3
    ORDER BY 1, 2, 3
  ), written AS MATERIALIZED (
    SELECT sms_budget_note(s.id, s.period_on, s.is_protected, s.reserved - least(s.reserved, s.released), 0,
                           s.released - least(s.reserved, s.released))
    FROM summed s
  )
  SELECT count(*) INTO noted FROM written;
  RETURN noted;
END $$;

-- Takes the texts that have come to rest off what is aside: their accepted parts are charged, the rest is free again. A
-- carrier may know a whole text under one id (a provider over HTTP, a message_payload), or not tell any: then each copy it took
-- costs all parts. A second copy that cost more than was aside is put aside and charged at once. Gives how many texts it was.
CREATE OR REPLACE FUNCTION sms_budget_settle(in_limit int) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE settled bigint;
BEGIN
  WITH due AS MATERIALIZED (
    DELETE FROM messaging_settling WHERE id IN (
      SELECT id FROM messaging_settling ORDER BY id LIMIT in_limit FOR UPDATE SKIP LOCKED)
    RETURNING message_id
  ), cost AS MATERIALIZED (
    SELECT m.id, m.store_id, m.cause, m.cause_id, sms_source_of(m.event_id, m.cause, m.cause_id) AS source, m.created_at,
      m.reserved_milli::bigint AS reserved,
      m.message_class = 'verification' OR sms_is_debit_notice(m.message_class, m.event_id) AS is_protected,
      (CASE WHEN m.state IN ('accepted', 'delivered', 'undelivered', 'no_receipt') AND taken.parts < m.parts
            THEN m.parts * coalesce(taken.milli, sms_part_price(m.gateway_id, m.phone, m.submitted_at))
            ELSE coalesce(taken.milli, 0) END)::bigint AS charged
    FROM (SELECT DISTINCT message_id FROM due) d JOIN messaging_message m ON m.id = d.message_id
    CROSS JOIN LATERAL (
      SELECT count(DISTINCT p.part) AS parts,
             sum(sms_part_price(p.gateway_id, m.phone, coalesce(t.answered_at, t.started_at))) AS milli
      FROM messaging_submittedpart p JOIN messaging_attempt t ON t.id = p.attempt_id
      WHERE p.message_id = m.id
    ) taken
  ), summed AS MATERIALIZED (
    SELECT b.id, sms_budget_period(b.period, b.timezone, c.created_at) AS period_on, c.is_protected,
      sum(greatest(c.charged - c.reserved, 0))::bigint AS more, sum(c.charged)::bigint AS charged,
      sum(greatest(c.reserved - c.charged, 0))::bigint AS rest
    FROM cost c
    LEFT JOIN messaging_purse p ON p.cause = c.cause AND p.cause_id = c.cause_id
    JOIN messaging_budget b ON (b.scope = 'house' OR (b.scope = 'store' AND b.store_id = c.store_id) OR b.id = p.budget_id
        OR (b.scope = 'api_key' AND b.subject = c.source))
      AND b.from_at <= c.created_at AND (b.until_at IS NULL OR c.created_at < b.until_at)
    GROUP BY 1, 2, 3
    ORDER BY 1, 2, 3
  ), noted AS MATERIALIZED (
    SELECT sms_budget_note(s.id, s.period_on, s.is_protected, s.more, s.charged, s.rest) FROM summed s
  )
  SELECT (SELECT count(*) FROM cost) + 0 * (SELECT count(*) FROM noted) INTO settled;
  RETURN settled;
END $$;
