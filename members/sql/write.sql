-- Writes a deed's legs, its outside money, its visit and the event that tells it. Each leg is one entry:
--   member account: {"account": id, "amount": ±n, "uses": [{"lot": id, "amount": ±n}]}
--     or, for new value, {"account": id, "amount": +n, "lots": [{"amount": n, "paid": n, "source": operation,
--     "expires_at": t, "active_from": t, "terms": {...}}]}; source is this deed when it is not said
--   counter-account: {"store": id, "kind": k, "amount": ±n}
-- `visit` is {"bill": n} for a purchase, {"returned": n} for one taken back, or null.
-- `told` is {"type", "payload", "source", "key"} or null. The accounts must have been locked by ledger_open.
-- Answers {"balances": {kind: n}, "event": id, "event_public_id": uuid}.
CREATE OR REPLACE FUNCTION ledger_write(deed_operation bigint, legs jsonb, tenders jsonb, visit jsonb, told jsonb)
RETURNS jsonb LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
  op members_operation%ROWTYPE;
  missed bigint;
  balances jsonb := '{}';
  event_id bigint;
  event_uuid uuid;
BEGIN
  SELECT * INTO op FROM members_operation WHERE id = deed_operation;
  IF jsonb_array_length(legs) > 0 THEN
    PERFORM ledger_counters(legs);
    WITH leg AS MATERIALIZED (
      SELECT l.place, (l.value->>'account')::bigint AS account, (l.value->>'store')::bigint AS store,
             l.value->>'kind' AS kind, (l.value->>'amount')::bigint AS amount, l.value->'uses' AS uses,
             l.value->'lots' AS lots
      FROM jsonb_array_elements(legs) WITH ORDINALITY AS l(value, place)),
    line AS MATERIALIZED (
      SELECT n.*, ledger_chain_on(n.seed, n.account, n.seq, n.amount, n.after, op.id)
                  OVER (PARTITION BY n.account ORDER BY n.place) AS hash
      FROM (SELECT l.*, a.kind AS account_kind, a.last_hash AS seed,
                   (a.last_seq + row_number() OVER w)::int AS seq, (a.balance + sum(l.amount) OVER w)::bigint AS after,
                   lead(l.place) OVER w IS NULL AS is_last
            FROM leg l
            JOIN members_account a ON a.id = l.account AND a.balance IS NOT NULL AND a.member_id = op.member_id
            WINDOW w AS (PARTITION BY l.account ORDER BY l.place)) n),
    moved AS (
      UPDATE members_account a SET balance = l.after, last_seq = l.seq, last_hash = l.hash
      FROM line l WHERE l.is_last AND a.id = l.account
      RETURNING a.kind, a.balance),
    own AS (
      INSERT INTO members_entry
        (operation_id, account_id, operation_kind, account_kind, sign, unit, amount, seq, balance_after, hash)
      SELECT op.id, l.account, op.kind, l.account_kind, sign(l.amount), ledger_unit(l.account_kind), l.amount, l.seq,
             l.after, l.hash
      FROM line l ORDER BY l.place
      RETURNING id, account_id, seq),
    counter AS (
      INSERT INTO members_entry (operation_id, account_id, operation_kind, account_kind, sign, unit, amount)
      SELECT op.id, a.id, op.kind, a.kind, sign(l.amount), ledger_unit(a.kind), l.amount
      FROM leg l JOIN members_account a ON a.store_id = l.store AND a.kind = l.kind ORDER BY l.place
      RETURNING id),
    use AS MATERIALIZED (
      SELECT l.account, l.seq, l.place, u.lot, u.amount, u.nth
      FROM line l CROSS JOIN LATERAL
        ROWS FROM (jsonb_to_recordset(l.uses) AS (lot bigint, amount bigint)) WITH ORDINALITY AS u(lot, amount, nth)),
    used AS (
      UPDATE members_lot l
      SET remaining = l.remaining + u.amount,
          expires_at = CASE WHEN u.amount > 0 AND l.expires_at < op.at + interval '7 days'
                            THEN op.at + interval '7 days' ELSE l.expires_at END
      FROM (SELECT lot, account, sum(amount)::bigint AS amount, count(*) AS times FROM use GROUP BY lot, account) u
      WHERE l.id = u.lot AND l.account_id = u.account
      RETURNING u.times),
    noted AS (
      INSERT INTO members_lotuse (entry_id, lot_id, amount)
      SELECT e.id, u.lot, u.amount FROM use u JOIN own e ON e.account_id = u.account AND e.seq = u.seq
      ORDER BY u.place, u.nth),
    made AS (
      INSERT INTO members_lot
        (account_id, operation_id, source_id, original, remaining, paid_minor, terms, active_from, expires_at)
      SELECT l.account, op.id, coalesce(n.source, op.id), n.amount, n.amount, coalesce(n.paid, 0), n.terms,
             n.active_from, n.expires_at
      FROM line l CROSS JOIN LATERAL
        ROWS FROM (jsonb_to_recordset(l.lots) AS (
          amount bigint, paid bigint, source bigint, terms jsonb, active_from timestamptz, expires_at timestamptz))
        WITH ORDINALITY AS n(amount, paid, source, terms, active_from, expires_at, nth)
      ORDER BY l.place, n.nth)
    SELECT (SELECT count(*) FROM leg) - (SELECT count(*) FROM own) - (SELECT count(*) FROM counter)
           + (SELECT count(*) FROM use) - (SELECT coalesce(sum(times), 0) FROM used),
           (SELECT coalesce(jsonb_object_agg(kind, balance), '{}') FROM moved)
    INTO missed, balances;
    IF missed <> 0 THEN
      RAISE EXCEPTION 'operation % has a leg on an account that is not its member''s, or a lot that is not in it', op.id;
    END IF;
  END IF;

  IF jsonb_array_length(tenders) > 0 THEN
    INSERT INTO members_tender (operation_id, type, amount_minor, reference, shift_id)
    SELECT op.id, t.type, t.amount, coalesce(t.reference, ''),
           CASE WHEN t.type = 'cash' THEN till_shift(op.store_id, op.staff_id, op.at) END
    FROM jsonb_to_recordset(tenders) AS t(type text, amount bigint, reference text);
  END IF;

  IF visit ? 'bill' THEN
    INSERT INTO members_purchase (member_id, store_id, operation_id, at, amount_minor, items, external_ref)
    VALUES (op.member_id, op.store_id, op.id, op.at, (visit->>'bill')::bigint, 1, '');
    UPDATE members_memberfacts
    SET visits = visits + 1, spend_minor = spend_minor + (visit->>'bill')::bigint,
        first_visit_at = coalesce(first_visit_at, op.at), last_visit_at = greatest(last_visit_at, op.at)
    WHERE member_id = op.member_id;
  ELSIF visit ? 'returned' THEN
    UPDATE members_memberfacts SET spend_minor = spend_minor - (visit->>'returned')::bigint
    WHERE member_id = op.member_id;
  END IF;

  IF told ? 'type' THEN
    INSERT INTO members_membershipevent (public_id, type, member_id, store_id, operation_id, payload, source, key, at)
    VALUES (gen_random_uuid(), told->>'type', op.member_id, op.store_id, op.id, told->'payload', told->>'source',
            told->>'key', op.at)
    RETURNING id, public_id INTO event_id, event_uuid;
  END IF;
  RETURN jsonb_build_object('balances', balances, 'event', event_id, 'event_public_id', event_uuid);
END $$;
