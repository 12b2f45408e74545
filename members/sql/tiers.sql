-- Tiers are a pure function of the ledger and the day (domain/tiers.py says it in words).

-- The first day of the period a day is in; periods start in January.
CREATE OR REPLACE FUNCTION tier_period_start(day date, months int) RETURNS date LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT make_date(extract(year FROM day)::int,
                   (extract(month FROM day)::int - 1) / months * months + 1, 1)
$$;

-- What counts towards a measure: one row for each deed since a day, net of what was given back, at its own time.
-- For one member, or for all (NULL). What a member did who was merged into another counts for that other one: their
-- purchases were handed over, their deeds stay theirs and are counted where they point to now.
CREATE OR REPLACE FUNCTION tier_deeds(measure text, since timestamptz, only_member bigint)
RETURNS TABLE (member_id bigint, at timestamptz, amount bigint) LANGUAGE plpgsql STABLE AS $$
DECLARE
  mine text := CASE WHEN only_member IS NULL THEN '' ELSE format(
    ' AND %%s.member_id IN (SELECT %1$s UNION ALL SELECT a.id FROM members_member a WHERE a.merged_into_id = %1$s)',
    only_member) END;
  returned text;
BEGIN
  IF measure IN ('spend', 'visits') THEN
    returned := $q$SELECT o.reverses_id, sum(o.amount_minor) AS back FROM members_operation o
                   WHERE o.kind = 'refund' AND o.reverses_id IS NOT NULL $q$ || replace(mine, '%s', 'o')
                || ' GROUP BY o.reverses_id';
    RETURN QUERY EXECUTE
      'SELECT p.member_id, p.at, '
      || CASE measure WHEN 'spend' THEN '(p.amount_minor - coalesce(r.back, 0))::bigint'
                      ELSE '(CASE WHEN r.back >= p.amount_minor THEN 0 ELSE 1 END)::bigint' END
      || ' FROM members_purchase p LEFT JOIN (' || returned || ') r ON r.reverses_id = p.operation_id
          WHERE p.at >= $1' || CASE WHEN only_member IS NULL THEN '' ELSE ' AND p.member_id = ' || only_member END
      USING since;
  ELSIF measure = 'recharge' THEN
    returned := $q$SELECT o.reverses_id, sum(o.amount_minor) AS back FROM members_operation o
                   WHERE o.kind IN ('refund_recharge', 'refund') AND o.reverses_id IS NOT NULL $q$
                || replace(mine, '%s', 'o') || ' GROUP BY o.reverses_id';
    RETURN QUERY EXECUTE
      'SELECT coalesce(m.merged_into_id, m.id), p.at, (p.amount_minor - coalesce(r.back, 0))::bigint
       FROM members_operation p JOIN members_member m ON m.id = p.member_id LEFT JOIN (' || returned || $q$) r ON r.reverses_id = p.id
       WHERE p.kind IN ('recharge', 'sell_services') AND p.at >= $1$q$ || replace(mine, '%s', 'p') USING since;
  ELSE
    returned := $q$SELECT o.reverses_id, -sum(e.amount)::bigint AS back FROM members_operation o
                   JOIN members_entry e ON e.operation_id = o.id
                   WHERE o.kind IN ('refund', 'refund_recharge') AND o.reverses_id IS NOT NULL
                     AND e.account_kind = 'points' AND e.amount < 0 $q$
                || replace(mine, '%s', 'o') || ' GROUP BY o.reverses_id';
    RETURN QUERY EXECUTE
      'SELECT coalesce(m.merged_into_id, m.id), p.at, (sum(e.amount) - coalesce(max(r.back), 0))::bigint
       FROM members_operation p
       JOIN members_member m ON m.id = p.member_id
       JOIN members_entry e ON e.operation_id = p.id AND e.account_kind = ''points'' AND e.amount > 0
       LEFT JOIN (' || returned || $q$) r ON r.reverses_id = p.id
       WHERE p.kind IN ('spend', 'recharge', 'earn') AND p.at >= $1$q$ || replace(mine, '%s', 'p')
      || ' GROUP BY p.id, m.id' USING since;
  END IF;
END $$;

-- Which tier a member's deeds give: `rank` counts the thresholds reached (0 is no tier), `figure` is the sum over the
-- window that ends today. The days are those of the member's home store. The highest sum counts since `from_days[1]`:
-- today less the grace, or the start of the period that day is in. When a tier falls one step a period, each earlier
-- period (`from_days[2]`, …) counts one rank less for each period since.
CREATE OR REPLACE FUNCTION tier_judged(scheme_id bigint, judged_at timestamptz, only_member bigint, thresholds bigint[])
RETURNS TABLE (member_id bigint, rank int, figure bigint) LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
DECLARE
  s members_tierscheme%ROWTYPE;
  step interval;
  spans int;
BEGIN
  SELECT * INTO STRICT s FROM members_tierscheme WHERE id = scheme_id;
  step := make_interval(months => s.period_months);
  spans := CASE s.policy WHEN 'one_step' THEN greatest(cardinality(thresholds), 1) ELSE 1 END;
  RETURN QUERY
  WITH store_days AS MATERIALIZED (
    SELECT st.id AS store_id, st.timezone, (judged_at AT TIME ZONE st.timezone)::date AS today,
           ((judged_at AT TIME ZONE st.timezone)::date - make_interval(months => s.window_months))::date AS window_from,
           ARRAY(SELECT (CASE s.policy WHEN 'at_once' THEN (judged_at AT TIME ZONE st.timezone)::date - s.grace_days
                         ELSE tier_period_start((judged_at AT TIME ZONE st.timezone)::date - s.grace_days,
                                                s.period_months) - k * step END)::date
                 FROM generate_series(0, spans - 1) k) AS from_days
    FROM members_store st
  ),
  counted AS MATERIALIZED (
    SELECT d.member_id, m.home_store_id AS store_id, (d.at AT TIME ZONE sd.timezone)::date AS on_day, d.amount
    FROM tier_deeds(s.measure,
                    judged_at - make_interval(months => s.window_months + CASE s.policy WHEN 'at_once' THEN 0
                                                                               ELSE spans * s.period_months END,
                                       days => s.grace_days + 2),
                    only_member) d
    JOIN members_member m ON m.id = d.member_id
    JOIN store_days sd ON sd.store_id = m.home_store_id
    WHERE d.at <= judged_at
  ),
  -- No sum over a window is above the sum of all; where both give one rank there is nothing to look back for.
  totals AS MATERIALIZED (
    SELECT c.member_id, c.store_id,
           width_bucket(sum(c.amount), thresholds::numeric[]) AS at_most,
           width_bucket(coalesce(sum(c.amount) FILTER (WHERE c.on_day >= sd.window_from), 0), thresholds::numeric[])
             AS at_least,
           coalesce(sum(c.amount) FILTER (WHERE c.on_day >= sd.window_from), 0)::bigint AS figure
    FROM counted c JOIN store_days sd ON sd.store_id = c.store_id
    GROUP BY c.member_id, c.store_id
  ),
  points AS (
    SELECT c.store_id, c.member_id, c.on_day, c.amount
    FROM counted c JOIN totals t ON t.member_id = c.member_id AND t.at_most > t.at_least
    UNION ALL
    SELECT t.store_id, t.member_id, p.day, 0
    FROM totals t
    JOIN store_days sd ON sd.store_id = t.store_id
    CROSS JOIN LATERAL unnest(sd.today || sd.from_days) p (day)
    WHERE t.at_most > t.at_least
  ),
  summed AS (
    SELECT store_id, member_id, on_day,
           sum(amount) OVER (PARTITION BY member_id ORDER BY on_day
                             RANGE BETWEEN make_interval(months => s.window_months) PRECEDING AND CURRENT ROW) AS total
    FROM points
  )
  SELECT t.member_id, t.at_least, t.figure FROM totals t WHERE t.at_most = t.at_least
  UNION ALL
  SELECT x.member_id,
         greatest(max(width_bucket(x.total, thresholds::numeric[])
                      - (SELECT count(*) FROM unnest(sd.from_days) f WHERE f > x.on_day)::int), 0),
         min(t.figure)
  FROM summed x
  JOIN store_days sd ON sd.store_id = x.store_id
  JOIN totals t ON t.member_id = x.member_id
  WHERE x.on_day >= sd.from_days[spans]
  GROUP BY x.member_id;
END $$;

-- Judges one member, or all, and keeps what changed: standings, and one entry for each move. An open override decides
-- until its last day. A standing that another judgement changed meanwhile is left to it.
CREATE OR REPLACE FUNCTION tier_fold(judged_at timestamptz, only_member bigint)
RETURNS TABLE (entry_id bigint) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  scheme bigint;
  tiers bigint[];
  thresholds bigint[];
BEGIN
  SELECT id INTO scheme FROM members_tierscheme WHERE is_active;
  IF scheme IS NULL THEN RETURN; END IF;
  SELECT coalesce(array_agg(t.id ORDER BY t.threshold), '{}'), coalesce(array_agg(t.threshold ORDER BY t.threshold), '{}')
  INTO tiers, thresholds FROM members_tier t WHERE t.scheme_id = scheme;
  RETURN QUERY
  WITH overridden AS (
    SELECT o.member_id, o.id, o.tier_id, o.until_on
    FROM members_tieroverride o
    JOIN members_member m ON m.id = o.member_id
    JOIN members_store st ON st.id = m.home_store_id
    WHERE o.ended_at IS NULL AND o.until_on >= (judged_at AT TIME ZONE st.timezone)::date AND m.status = 'active'
      AND o.tier_id = ANY(tiers) AND (only_member IS NULL OR o.member_id = only_member)
  ),
  held AS (
    SELECT member_id, tier_id, until_on FROM members_tierstanding
    WHERE only_member IS NULL OR member_id = only_member
  ),
  target AS (
    SELECT member_id, CASE WHEN o.id IS NULL THEN tiers[nullif(j.rank, 0)] ELSE o.tier_id END AS tier_id,
           coalesce(j.figure, 0) AS figure, o.id AS override_id, o.until_on,
           h.tier_id AS before_id, h.until_on AS until_before
    FROM tier_judged(scheme, judged_at, only_member, thresholds) j
    FULL JOIN overridden o USING (member_id)
    FULL JOIN held h USING (member_id)
  ),
  moved AS MATERIALIZED (
    SELECT * FROM target
    WHERE tier_id IS DISTINCT FROM before_id OR (tier_id IS NOT NULL AND until_on IS DISTINCT FROM until_before)
  ),
  lost AS (
    DELETE FROM members_tierstanding h USING moved m
    WHERE h.member_id = m.member_id AND m.tier_id IS NULL AND h.tier_id = m.before_id
    RETURNING h.member_id
  ),
  changed AS (
    UPDATE members_tierstanding h
    SET tier_id = m.tier_id, until_on = m.until_on,
        since = CASE WHEN m.tier_id = m.before_id THEN h.since ELSE judged_at END
    FROM moved m
    WHERE h.member_id = m.member_id AND m.tier_id IS NOT NULL AND h.tier_id = m.before_id
    RETURNING h.member_id
  ),
  won AS (
    INSERT INTO members_tierstanding (member_id, tier_id, since, until_on)
    SELECT m.member_id, m.tier_id, judged_at, m.until_on FROM moved m WHERE m.before_id IS NULL AND m.tier_id IS NOT NULL
    ON CONFLICT (member_id) DO NOTHING
    RETURNING members_tierstanding.member_id
  ),
  done AS (SELECT member_id FROM lost UNION ALL SELECT member_id FROM changed UNION ALL SELECT member_id FROM won)
  INSERT INTO members_tierentry (member_id, tier_before_id, tier_id, figure, override_id, at)
  SELECT m.member_id, m.before_id, m.tier_id, m.figure, m.override_id, judged_at
  FROM moved m JOIN done USING (member_id)
  WHERE m.tier_id IS DISTINCT FROM m.before_id
  RETURNING id;
END $$;
