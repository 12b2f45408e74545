-- A deed of the till in one call: the plain recharge and the plain bill, opened, decided, written and told.
--
-- What ledger_open, the pure arithmetic of members/domain/allocation.py and ledger_write do in three steps with Python
-- between them is done here under one set of locks without a way back: for deeds where nothing has to be asked in
-- between. Whatever is not plain raises RG100 ("the general road"): nothing is written, and the caller takes the three
-- steps, which also say what a refusal says. tests/members/test_express.py compares the two roads.

CREATE OR REPLACE FUNCTION ledger_general(why text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the general road: %', why USING ERRCODE = 'RG100';
END $$;

-- `deed` as ledger_open takes it, with the "stamp" of the housebook it was planned under. `plan`:
--   {"tier": {"held": tier or null} and "is_first" (where they were reckoned with),
--    "points": [{"amount", "active_from", "expires_at"}], "earnings": [{"rule", "points", "why"}],
--    "tenders": [{"type", "amount", "reference"}], "event": type, "told": {facts}, and for a
--   recharge: "paid", "limit" (the most principal may be, or null), "bonus", "bonus_until", "bonus_terms";
--   bill: "bill" (what is to be paid), "discount" (what came off), "lines" (rows of members_billline) with "names_goods",
--         "rest" ({"type", "reference"} or null), "card_max" (or null), "order",
--         "code_above" (or null; of all that left the card without a code in "code_span" seconds), "low_below" (or null),
--         "takes_others" (whether value of another store pays where the two stores say nothing)}
-- Answers null when the key was used already, else {"operation", "public_id", "event", "event_public_id", "balances",
-- "told"}: what open, write and the event of the general road answer together.
CREATE OR REPLACE FUNCTION ledger_express(deed jsonb, plan jsonb) RETURNS jsonb LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
DECLARE
  deed_kind text := deed->>'kind';
  deed_scope text := deed->>'scope';
  deed_member bigint := (deed->>'member')::bigint;
  deed_card bigint := (deed->>'card')::bigint;
  deed_store bigint := (deed->>'store')::bigint;
  deed_at timestamptz := (deed->>'at')::timestamptz;
  is_bill boolean := plan ? 'bill';
  paid bigint := coalesce((plan->>'paid')::bigint, 0);
  bonus_in bigint := coalesce((plan->>'bonus')::bigint, 0);
  bill bigint := coalesce((plan->>'bill')::bigint, 0);
  discount bigint := coalesce((plan->>'discount')::bigint, 0);
  points_in bigint := 0;
  outside bigint := 0;
  due bigint;
  stored bigint := 0;
  bonus_out bigint := 0;
  op_id bigint;
  op_uuid uuid;
  row record;
  principal members_account%ROWTYPE;
  bonus members_account%ROWTYPE;
  points members_account%ROWTYPE;
  balances jsonb := '{}';
  deltas bigint[] := '{}';
  account members_account%ROWTYPE;
  use_lots bigint[] := '{}'; use_amounts bigint[] := '{}'; use_bonus boolean[] := '{}'; use_sold_at bigint[] := '{}';
  taken bigint := 0;
  e_account bigint[] := '{}'; e_kind text[] := '{}'; e_unit text[] := '{}'; e_amount bigint[] := '{}';
  e_seq int[] := '{}'; e_after bigint[] := '{}'; e_hash bytea[] := '{}';
  l_account bigint[] := '{}'; l_amount bigint[] := '{}'; l_paid bigint[] := '{}'; l_terms jsonb[] := '{}';
  l_from timestamptz[] := '{}'; l_until timestamptz[] := '{}';
  c_store bigint[]; c_kind text[]; c_amount bigint[]; counted int := 0;
  told jsonb := plan->'told';
  event_id bigint;
  event_uuid uuid;
BEGIN
  -- what is certain to be refused is not begun
  IF is_bill AND plan->'rest' = 'null' THEN
    PERFORM 1 FROM members_account a
    WHERE a.member_id = deed_member AND a.card_id = deed_card AND a.kind IN ('principal', 'bonus')
    HAVING coalesce(sum(a.balance), 0) < bill - (SELECT coalesce(sum(t.amount), 0)
                                                FROM jsonb_to_recordset(plan->'tenders') AS t(amount bigint));
    IF FOUND THEN PERFORM ledger_general('insufficient'); END IF;
  END IF;

  INSERT INTO members_operation
    (public_id, kind, scope, key, request, store_id, staff_id, member_id, card_id, amount_minor, note, at)
  VALUES
    (gen_random_uuid(), deed_kind, deed_scope, deed->>'key', deed->'request', deed_store, (deed->>'staff')::bigint,
     deed_member, deed_card, (deed->>'amount')::bigint, deed->>'note', deed_at)
  ON CONFLICT (scope, key) DO NOTHING
  RETURNING id, public_id INTO op_id, op_uuid;
  IF op_id IS NULL THEN RETURN NULL; END IF;
  IF ledger_guard(deed, op_id) IS NOT NULL THEN PERFORM ledger_general('a guard'); END IF;

  FOR account IN
    SELECT * FROM members_account a
    WHERE a.member_id = deed_member AND (a.card_id = deed_card OR a.card_id IS NULL)
    ORDER BY a.id FOR NO KEY UPDATE
  LOOP
    IF account.is_frozen THEN PERFORM ledger_general('frozen'); END IF;
    balances := balances || jsonb_build_object(account.kind, account.balance);
    IF account.kind = 'principal' THEN principal := account;
    ELSIF account.kind = 'bonus' THEN bonus := account;
    ELSIF account.kind = 'points' THEN points := account;
    END IF;
  END LOOP;
  -- read under the accounts' locks, as ledger_open does
  SELECT c.status, m.cooling_until, h.stamp INTO row
  FROM members_card c JOIN members_member m ON m.id = c.member_id LEFT JOIN members_housebook h ON h.is_only
  WHERE c.id = deed_card AND c.member_id = deed_member;
  IF row.status IS DISTINCT FROM 'active' OR row.cooling_until > deed_at
     OR row.stamp IS DISTINCT FROM (deed->>'stamp')::uuid THEN
    PERFORM ledger_general('card, phone or stamp');
  END IF;
  IF plan ? 'tier' THEN
    IF (SELECT t.tier_id FROM members_tierstanding t WHERE t.member_id = deed_member)
       IS DISTINCT FROM (plan->'tier'->>'held')::bigint THEN
      PERFORM ledger_general('another tier');
    END IF;
  END IF;
  IF plan ? 'is_first' THEN
    IF (plan->>'is_first')::boolean
       = EXISTS (SELECT FROM members_memberfacts f WHERE f.member_id = deed_member AND f.visits > 0) THEN
      PERFORM ledger_general('not the first purchase');
    END IF;
  END IF;

  SELECT coalesce(sum(t.amount), 0) INTO outside FROM jsonb_to_recordset(plan->'tenders') AS t(amount bigint);
  IF is_bill THEN
    due := bill - outside;
    stored := least(due, coalesce((plan->>'card_max')::bigint, due));
    SELECT t.lots, t.amounts, t.of_bonus, t.sold_at, t.taken INTO use_lots, use_amounts, use_bonus, use_sold_at, taken
    FROM ledger_take(principal.id, bonus.id, deed_store, deed_at, plan->>'order', bill, stored,
                     (plan->>'takes_others')::boolean, (plan->>'names_goods')::boolean) t;
    IF due < 0 OR taken < stored AND plan->'rest' = 'null' OR stored < due AND plan->'rest' = 'null' THEN
      PERFORM ledger_general('not paid in full');
    END IF;
    stored := taken;
    outside := bill - stored;
    IF stored > 0 AND plan->>'code_above' IS NOT NULL AND stored + lately_without_code(
         deed_card, deed_member, op_id, make_interval(secs => (plan->>'code_span')::int),
         (plan->>'code_above')::bigint + 1 - stored) > (plan->>'code_above')::bigint THEN
      PERFORM ledger_general('code');
    END IF;
    FOR i IN 1 .. cardinality(use_lots) LOOP
      IF use_bonus[i] THEN bonus_out := bonus_out - use_amounts[i]; END IF;
    END LOOP;
    IF principal.balance + bonus.balance >= (plan->>'low_below')::bigint
       AND principal.balance + bonus.balance - stored < (plan->>'low_below')::bigint THEN
      PERFORM ledger_general('the balance becomes low');
    END IF;
  ELSIF principal.balance + paid > (plan->>'limit')::bigint THEN
    PERFORM ledger_general('limit');
  END IF;

  -- the member's side: amounts by account, in the order the general road writes them
  IF is_bill THEN
    IF cardinality(use_lots) > 0 AND use_bonus[1] THEN
      deltas := ARRAY[bonus_out, stored - bonus_out];
    ELSE
      deltas := ARRAY[stored - bonus_out, bonus_out];
    END IF;
    FOR i IN 1 .. 2 LOOP
      CONTINUE WHEN deltas[i] = 0;
      IF (i = 1) = (cardinality(use_lots) > 0 AND use_bonus[1]) THEN account := bonus; ELSE account := principal; END IF;
      e_account := e_account || account.id; e_kind := e_kind || account.kind::text; e_unit := e_unit || 'money'::text;
      e_amount := e_amount || -deltas[i]; e_seq := e_seq || (account.last_seq + 1);
      e_after := e_after || (account.balance - deltas[i]);
      e_hash := e_hash || ledger_link(account.last_hash, account.id, account.last_seq + 1, -deltas[i],
                                      account.balance - deltas[i], op_id);
      balances := balances || jsonb_build_object(account.kind, account.balance - deltas[i]);
    END LOOP;
  ELSE
    e_account := ARRAY[principal.id]; e_kind := ARRAY['principal']; e_unit := ARRAY['money']; e_amount := ARRAY[paid];
    e_seq := ARRAY[principal.last_seq + 1]; e_after := ARRAY[principal.balance + paid];
    e_hash := ARRAY[ledger_link(principal.last_hash, principal.id, principal.last_seq + 1, paid,
                                principal.balance + paid, op_id)];
    l_account := ARRAY[principal.id]; l_amount := ARRAY[paid]; l_paid := ARRAY[paid]; l_terms := ARRAY[NULL::jsonb];
    l_from := ARRAY[NULL::timestamptz]; l_until := ARRAY[NULL::timestamptz];
    balances := balances || jsonb_build_object('principal', principal.balance + paid);
    IF bonus_in > 0 THEN
      e_account := e_account || bonus.id; e_kind := e_kind || 'bonus'::text; e_unit := e_unit || 'money'::text;
      e_amount := e_amount || bonus_in; e_seq := e_seq || (bonus.last_seq + 1);
      e_after := e_after || (bonus.balance + bonus_in);
      e_hash := e_hash || ledger_link(bonus.last_hash, bonus.id, bonus.last_seq + 1, bonus_in,
                                      bonus.balance + bonus_in, op_id);
      l_account := l_account || bonus.id; l_amount := l_amount || bonus_in; l_paid := l_paid || 0::bigint;
      l_terms := l_terms || nullif(plan->'bonus_terms', 'null'); l_from := l_from || NULL::timestamptz;
      l_until := l_until || (plan->>'bonus_until')::timestamptz;
      balances := balances || jsonb_build_object('bonus', bonus.balance + bonus_in);
    END IF;
  END IF;
  IF jsonb_array_length(plan->'points') > 0 THEN
    FOR row IN SELECT * FROM jsonb_to_recordset(plan->'points')
                 AS p(amount bigint, active_from timestamptz, expires_at timestamptz) LOOP
      points_in := points_in + row.amount;
      l_account := l_account || points.id; l_amount := l_amount || row.amount; l_paid := l_paid || 0::bigint;
      l_terms := l_terms || NULL::jsonb; l_from := l_from || row.active_from; l_until := l_until || row.expires_at;
    END LOOP;
    e_account := e_account || points.id; e_kind := e_kind || 'points'::text; e_unit := e_unit || 'points'::text;
    e_amount := e_amount || points_in; e_seq := e_seq || (points.last_seq + 1);
    e_after := e_after || (points.balance + points_in);
    e_hash := e_hash || ledger_link(points.last_hash, points.id, points.last_seq + 1, points_in,
                                    points.balance + points_in, op_id);
    balances := balances || jsonb_build_object('points', points.balance + points_in);
  END IF;

  -- the stores' side; who sold the value owes who took it
  IF is_bill THEN
    c_kind := ARRAY['sales', 'discounts', 'tender']; c_amount := ARRAY[bill + discount, -discount, -outside];
    c_store := ARRAY[deed_store, deed_store, deed_store];
  ELSE
    c_kind := ARRAY['tender', 'bonus_cost']; c_amount := ARRAY[-paid, -bonus_in];
    c_store := ARRAY[deed_store, deed_store];
  END IF;
  IF deed_store <> ANY(use_sold_at) THEN
    FOR row IN
      SELECT u.issuer, -sum(u.amount)::bigint AS owed FROM unnest(use_sold_at, use_amounts) AS u(issuer, amount)
      WHERE u.issuer <> deed_store GROUP BY u.issuer ORDER BY u.issuer
    LOOP
      c_store := c_store || row.issuer || deed_store; c_kind := c_kind || ARRAY['settlement', 'settlement'];
      c_amount := c_amount || row.owed || -row.owed;
    END LOOP;
  END IF;
  c_store := c_store || deed_store; c_kind := c_kind || 'points_cost'::text; c_amount := c_amount || -points_in;
  FOR row IN
    SELECT a.id, c.kind, c.amount FROM unnest(c_store, c_kind, c_amount) WITH ORDINALITY AS c(store, kind, amount, place)
    JOIN members_account a ON a.store_id = c.store AND a.kind = c.kind
    WHERE c.amount <> 0 ORDER BY c.place
  LOOP
    e_account := e_account || row.id; e_kind := e_kind || row.kind; e_unit := e_unit || ledger_unit(row.kind);
    e_amount := e_amount || row.amount; e_seq := e_seq || NULL::int; e_after := e_after || NULL::bigint;
    e_hash := e_hash || NULL::bytea;
    counted := counted + 1;
  END LOOP;
  IF counted <> cardinality(array_remove(c_amount, 0)) THEN PERFORM ledger_general('a new counter-account'); END IF;

  WITH moved AS (
    UPDATE members_account a SET balance = e.after, last_seq = e.seq, last_hash = e.hash
    FROM unnest(e_account, e_seq, e_after, e_hash) AS e(id, seq, after, hash)
    WHERE a.id = e.id AND e.seq IS NOT NULL),
  used AS (
    UPDATE members_lot l SET remaining = l.remaining + u.amount
    FROM unnest(use_lots, use_amounts) AS u(lot, amount) WHERE l.id = u.lot),
  made AS (
    INSERT INTO members_lot
      (account_id, operation_id, source_id, original, remaining, paid_minor, terms, active_from, expires_at)
    SELECT n.account, op_id, op_id, n.amount, n.amount, n.paid, n.terms, n.active_from, n.expires_at
    FROM unnest(l_account, l_amount, l_paid, l_terms, l_from, l_until)
      AS n(account, amount, paid, terms, active_from, expires_at)),
  entry AS (
    INSERT INTO members_entry
      (operation_id, account_id, operation_kind, account_kind, sign, unit, amount, seq, balance_after, hash)
    SELECT op_id, e.account, deed_kind, e.kind, sign(e.amount), e.unit, e.amount, e.seq, e.after, e.hash
    FROM unnest(e_account, e_kind, e_unit, e_amount, e_seq, e_after, e_hash)
      AS e(account, kind, unit, amount, seq, after, hash)
    RETURNING id, account_id)
  INSERT INTO members_lotuse (entry_id, lot_id, amount)
  SELECT e.id, u.lot, u.amount
  FROM unnest(use_lots, use_amounts, use_bonus) WITH ORDINALITY AS u(lot, amount, is_bonus, place)
  JOIN entry e ON e.account_id = CASE WHEN u.is_bonus THEN bonus.id ELSE principal.id END
  ORDER BY e.id, u.place;

  INSERT INTO members_tender (operation_id, type, amount_minor, reference, shift_id)
  SELECT op_id, t.type, t.amount, t.reference,
         CASE WHEN t.type = 'cash' THEN till_shift(deed_store, (deed->>'staff')::bigint, deed_at) END
  FROM (SELECT x.type, x.amount, coalesce(x.reference, '') AS reference
        FROM jsonb_to_recordset(plan->'tenders') AS x(type text, amount bigint, reference text)
        UNION ALL
        SELECT plan->'rest'->>'type', due - stored, coalesce(plan->'rest'->>'reference', '')
        WHERE is_bill AND plan->'rest' <> 'null' AND stored < due) t;

  IF is_bill THEN
    INSERT INTO members_purchase (member_id, store_id, operation_id, at, amount_minor, items, external_ref)
    VALUES (deed_member, deed_store, op_id, deed_at, bill, 1, '');
    UPDATE members_memberfacts
    SET visits = visits + 1, spend_minor = spend_minor + bill,
        first_visit_at = coalesce(first_visit_at, deed_at), last_visit_at = greatest(last_visit_at, deed_at)
    WHERE member_id = deed_member;
    IF plan ? 'lines' THEN
      INSERT INTO members_billline (operation_id, position, kind, amount_minor, label, category_id, is_discounted)
      SELECT op_id, b.position, b.kind, b.amount_minor, b.label, b.category_id, b.is_discounted
      FROM jsonb_to_recordset(plan->'lines')
        AS b(position int, kind text, amount_minor bigint, label text, category_id bigint, is_discounted boolean);
    END IF;
    told := told || jsonb_build_object('stored_value', stored, 'principal', stored - bonus_out, 'bonus', bonus_out);
  END IF;
  IF jsonb_array_length(plan->'earnings') > 0 THEN
    INSERT INTO members_earning (operation_id, rule_id, points, why)
    SELECT op_id, r.rule, r.points, r.why
    FROM jsonb_to_recordset(plan->'earnings') AS r(rule bigint, points bigint, why jsonb);
  END IF;

  told := told || jsonb_build_object(
    'balance', coalesce((balances->>'principal')::bigint, 0) + coalesce((balances->>'bonus')::bigint, 0),
    'principal_balance', coalesce((balances->>'principal')::bigint, 0),
    'bonus_balance', coalesce((balances->>'bonus')::bigint, 0),
    'points_balance', coalesce((balances->>'points')::bigint, 0),
    'services_left', coalesce((balances->>'services')::bigint, 0));
  INSERT INTO members_membershipevent (public_id, type, member_id, store_id, operation_id, payload, source, key, at)
  VALUES (gen_random_uuid(), plan->>'event', deed_member, deed_store, op_id, told, deed_scope,
          'operation:' || op_uuid, deed_at)
  RETURNING id, public_id INTO event_id, event_uuid;
  RETURN jsonb_build_object('operation', op_id, 'public_id', op_uuid, 'event', event_id,
                            'event_public_id', event_uuid, 'balances', balances, 'told', told);
END $$;

-- Judges a member after a deed that counts, as part of its statement. A move is told by the general road.
CREATE OR REPLACE FUNCTION tier_stays(judged_at timestamptz, of_member bigint) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM tier_fold(judged_at, of_member)) THEN PERFORM ledger_general('the tier moves'); END IF;
  RETURN true;
END $$;
