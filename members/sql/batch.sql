-- The ledger's doors for many deeds at once, of the clock or of an import: a few statements a batch, every guard on.

-- Locks what a batch of deeds needs, one deed an account: the business days of their stores, then the accounts of
-- each one's card and member, all in id order, so that a batch waits for a till or another batch but never in a ring.
-- Answers each account with the store it belongs to (its card's, or its member's home) and what stops a deed on it:
-- account_frozen, period_closed or nothing.
CREATE OR REPLACE FUNCTION ledger_batch_open(
  accounts bigint[], deed_at timestamptz,
  OUT of_account bigint, OUT account_kind text, OUT of_member bigint, OUT of_card bigint, OUT of_store bigint,
  OUT stopped_by text
) RETURNS SETOF record LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock_shared(d.lock_key)
  FROM (SELECT DISTINCT day_lock_key(s.id, (deed_at AT TIME ZONE s.timezone)::date) AS lock_key
        FROM members_account a
        JOIN members_member m ON m.id = a.member_id
        LEFT JOIN members_card c ON c.id = a.card_id
        JOIN members_store s ON s.id = coalesce(c.store_id, m.home_store_id)
        WHERE a.id = ANY(accounts) ORDER BY 1) d;
  PERFORM 1 FROM members_account b
  WHERE b.id IN (SELECT same.id FROM members_account a
                 JOIN members_account same ON same.member_id = a.member_id
                                          AND (same.card_id = a.card_id OR same.card_id IS NULL)
                 WHERE a.id = ANY(accounts))
  ORDER BY b.id FOR NO KEY UPDATE;
  RETURN QUERY
    SELECT a.id, a.kind::text, a.member_id, a.card_id, s.id,
           CASE WHEN EXISTS (SELECT 1 FROM members_account same
                             WHERE same.member_id = a.member_id AND same.is_frozen
                               AND (same.card_id = a.card_id OR same.card_id IS NULL)) THEN 'account_frozen'
                WHEN EXISTS (SELECT 1 FROM members_dayclose d
                             WHERE d.store_id = s.id AND d."on" = (deed_at AT TIME ZONE s.timezone)::date
                               AND d.reopened_at IS NULL) THEN 'period_closed' END
    FROM members_account a
    JOIN members_member m ON m.id = a.member_id
    LEFT JOIN members_card c ON c.id = a.card_id
    JOIN members_store s ON s.id = coalesce(c.store_id, m.home_store_id)
    WHERE a.id = ANY(accounts)
    ORDER BY a.id;
END $$;

-- Writes many deeds, each as ledger_open takes it with its "legs" as ledger_write takes them: at most one leg an
-- account in the whole batch, no outside money, told to nobody. The accounts must have been locked by
-- ledger_batch_open, and only batches use these keys. A key already used is a replay: its deed is left out.
-- Answers {"keys": [of the deeds written]}, or {"refused": code, ...} of the first that a guard forbids: the caller
-- rolls back.
CREATE OR REPLACE FUNCTION ledger_batch_write(deeds jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  fresh bigint[];
  written jsonb;
  refusal jsonb;
  missed bigint;
BEGIN
  WITH opened AS (
    INSERT INTO members_operation
      (public_id, kind, scope, key, request, store_id, staff_id, member_id, card_id, amount_minor, note, at)
    SELECT gen_random_uuid(), d.kind, d.scope, d.key, d.request, d.store, d.staff, d.member, d.card, d.amount,
           coalesce(d.note, ''), d.at
    FROM jsonb_to_recordset(deeds) AS d(kind text, scope text, key text, request jsonb, store bigint, staff bigint,
                                        member bigint, card bigint, amount bigint, note text, at timestamptz)
    ORDER BY d.scope, d.key
    ON CONFLICT (scope, key) DO NOTHING
    RETURNING id, key)
  SELECT array_agg(id), jsonb_agg(key) INTO fresh, written FROM opened;
  IF fresh IS NULL THEN RETURN '{"keys": []}'; END IF;

  SELECT g.answer INTO refusal
  FROM (SELECT ledger_guard(d.value, o.id) AS answer
        FROM jsonb_array_elements(deeds) d
        JOIN members_operation o ON o.id = ANY(fresh) AND o.scope = d.value->>'scope' AND o.key = d.value->>'key'
        OFFSET 0) g
  WHERE g.answer IS NOT NULL LIMIT 1;
  IF refusal IS NOT NULL THEN RETURN refusal; END IF;

  -- a store's counter-account is made when it is first needed
  INSERT INTO members_account (kind, store_id, last_seq)
  SELECT DISTINCT c.kind, c.store, 0
  FROM jsonb_to_recordset(jsonb_path_query_array(deeds, '$[*].legs[*]')) AS c(store bigint, kind text)
  WHERE c.store IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM members_account a WHERE a.store_id = c.store AND a.kind = c.kind)
  ORDER BY 2, 1
  ON CONFLICT (store_id, kind) DO NOTHING;

  WITH leg AS MATERIALIZED (
    SELECT o.id AS operation, o.kind AS deed_kind, o.at, o.member_id, l.*
    FROM jsonb_to_recordset(deeds) AS d(scope text, key text, legs jsonb)
    JOIN members_operation o ON o.id = ANY(fresh) AND o.scope = d.scope AND o.key = d.key
    CROSS JOIN LATERAL jsonb_to_recordset(d.legs) AS l(account bigint, store bigint, kind text, amount bigint,
                                                       uses jsonb, lots jsonb)),
  moved AS (
    UPDATE members_account a
    SET balance = a.balance + l.amount, last_seq = a.last_seq + 1,
        last_hash = ledger_link(a.last_hash, a.id, a.last_seq + 1, l.amount, a.balance + l.amount, l.operation)
    FROM leg l
    WHERE a.id = l.account AND a.member_id = l.member_id AND NOT a.is_frozen
    RETURNING a.id, a.kind, a.last_seq, a.balance, a.last_hash, l.operation, l.deed_kind, l.amount, l.at,
              l.uses, l.lots),
  own AS (
    INSERT INTO members_entry
      (operation_id, account_id, operation_kind, account_kind, sign, unit, amount, seq, balance_after, hash)
    SELECT operation, id, deed_kind, kind, sign(amount), ledger_unit(kind), amount, last_seq, balance, last_hash
    FROM moved
    RETURNING id, account_id),
  counter AS (
    INSERT INTO members_entry (operation_id, account_id, operation_kind, account_kind, sign, unit, amount)
    SELECT l.operation, a.id, l.deed_kind, a.kind, sign(l.amount), ledger_unit(a.kind), l.amount
    FROM leg l JOIN members_account a ON a.store_id = l.store AND a.kind = l.kind),
  use AS MATERIALIZED (
    SELECT m.id AS account, m.at, u.lot, u.amount
    FROM moved m CROSS JOIN LATERAL jsonb_to_recordset(m.uses) AS u(lot bigint, amount bigint)),
  used AS (
    UPDATE members_lot l
    SET remaining = l.remaining + u.amount,
        expires_at = CASE WHEN u.amount > 0 AND l.expires_at < u.at + interval '7 days'
                          THEN u.at + interval '7 days' ELSE l.expires_at END
    FROM use u WHERE l.id = u.lot AND l.account_id = u.account
    RETURNING l.id),
  noted AS (
    INSERT INTO members_lotuse (entry_id, lot_id, amount)
    SELECT e.id, u.lot, u.amount FROM use u JOIN own e ON e.account_id = u.account),
  made AS (
    INSERT INTO members_lot
      (account_id, operation_id, source_id, original, remaining, paid_minor, terms, active_from, expires_at)
    SELECT m.id, m.operation, coalesce(n.source, m.operation), n.amount, n.amount, coalesce(n.paid, 0), n.terms,
           n.active_from, n.expires_at
    FROM moved m CROSS JOIN LATERAL jsonb_to_recordset(m.lots) AS n(
      amount bigint, paid bigint, source bigint, terms jsonb, active_from timestamptz, expires_at timestamptz))
  SELECT (SELECT count(*) FROM leg WHERE account IS NOT NULL) - (SELECT count(*) FROM own)
         + (SELECT count(*) FROM use) - (SELECT count(*) FROM used) INTO missed;
  IF missed <> 0 THEN
    RAISE EXCEPTION 'a batch has two legs on one account, or an account or lot that is not its member''s';
  END IF;
  RETURN jsonb_build_object('keys', written);
END $$;
