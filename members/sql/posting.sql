-- The guards that hold whoever writes, and what a deed needs before it writes (write.sql).
--
-- The guards look once a statement at all the rows it wrote (transition tables), not once a row at the commit: whoever
-- writes entries writes all of a deed's, with the lots and balances they change, in one statement. A statement that
-- leaves the books in disagreement is refused at its end, by whichever table it came in.

DROP TRIGGER IF EXISTS operation_sums_to_zero ON members_entry;
DROP TRIGGER IF EXISTS account_agrees ON members_account;
DROP TRIGGER IF EXISTS lot_agrees ON members_lot;
DROP TRIGGER IF EXISTS operation_in_open_day ON members_operation;
DROP FUNCTION IF EXISTS ledger_account_agrees(), ledger_lot_agrees(), ledger_check_account(bigint),
  ledger_entry_balanced();
ALTER TABLE members_entry DROP CONSTRAINT IF EXISTS entry_posting_rule;

-- An entry is what the posting matrix allows (L10), of a deed and an account there are, and of their kinds.
CREATE FUNCTION entry_is_allowed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  wrong record;
BEGIN
  SELECT f.operation_kind, f.account_kind, f.sign INTO wrong
  FROM fresh f
  LEFT JOIN members_postingrule p
    ON p.operation_kind = f.operation_kind AND p.account_kind = f.account_kind AND p.sign = f.sign
  LEFT JOIN members_operation o ON o.id = f.operation_id AND o.kind = f.operation_kind
  LEFT JOIN members_account a ON a.id = f.account_id AND a.kind = f.account_kind
  WHERE p.id IS NULL OR o.id IS NULL OR a.id IS NULL OR sign(f.amount) <> f.sign
     OR f.unit <> ledger_unit(f.account_kind)
  LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'entry_posting_rule: % does not post % with sign %, or its deed or account is another',
      wrong.operation_kind, wrong.account_kind, wrong.sign
      USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'entry_posting_rule';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER entry_posting_rule AFTER INSERT ON members_entry
REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION entry_is_allowed();

-- Σ = 0 per unit and at least two entries (L1): every statement writes whole deeds, so their sum stays what it was.
CREATE FUNCTION entries_sum_to_zero() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  wrong bigint;
BEGIN
  SELECT f.operation_id INTO wrong FROM fresh f
  GROUP BY f.operation_id, f.unit HAVING sum(f.amount) <> 0 OR count(*) < 2 LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'operation % does not sum to zero', wrong
      USING ERRCODE = 'check_violation', CONSTRAINT = 'operation_sums_to_zero';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER operation_sums_to_zero AFTER INSERT ON members_entry
REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION entries_sum_to_zero();

-- Balance = Σ lots remaining = last entry's balance_after, whichever of them was touched (L2, L5).
CREATE FUNCTION ledger_disagrees(guard text, account bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '%: account % does not agree with its lots and entries', guard, account
    USING ERRCODE = 'check_violation', CONSTRAINT = guard;
END $$;
CREATE FUNCTION accounts_agree() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  wrong bigint[];
BEGIN
  SELECT array_agg(a.id) INTO wrong FROM fresh a
  WHERE a.balance IS NOT NULL
    AND (a.balance <> (SELECT coalesce(sum(l.remaining), 0) FROM members_lot l
                       WHERE l.account_id = a.id AND l.remaining > 0)
         OR CASE a.last_seq WHEN 0 THEN a.balance <> 0 OR a.last_hash IS NOT NULL
            ELSE NOT EXISTS (SELECT FROM members_entry e WHERE e.account_id = a.id AND e.seq = a.last_seq
                               AND e.balance_after = a.balance AND e.hash IS NOT DISTINCT FROM a.last_hash) END);
  IF wrong IS NOT NULL AND TG_OP = 'UPDATE' THEN  -- freezing an account that disagrees must stay possible
    SELECT array_agg(a.id) INTO wrong FROM fresh a JOIN stale b ON b.id = a.id
    WHERE a.id = ANY(wrong)
      AND (a.balance, a.last_seq, a.last_hash) IS DISTINCT FROM (b.balance, b.last_seq, b.last_hash);
  END IF;
  IF wrong IS NOT NULL THEN PERFORM ledger_disagrees('account_agrees', wrong[1]); END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER account_agrees AFTER UPDATE ON members_account
REFERENCING OLD TABLE AS stale NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION accounts_agree();
CREATE TRIGGER account_begins_agreed AFTER INSERT ON members_account
REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION accounts_agree();

CREATE FUNCTION lots_agree() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  wrong bigint[];
BEGIN
  SELECT array_agg(f.id) INTO wrong FROM fresh f
  WHERE NOT coalesce((SELECT a.balance = (SELECT coalesce(sum(l.remaining), 0) FROM members_lot l
                                          WHERE l.account_id = a.id AND l.remaining > 0)
                      FROM members_account a WHERE a.id = f.account_id), false);
  IF wrong IS NOT NULL AND TG_OP = 'UPDATE' THEN  -- holding value or moving an end must stay possible
    SELECT array_agg(f.id) INTO wrong FROM fresh f JOIN stale b ON b.id = f.id
    WHERE f.id = ANY(wrong) AND f.remaining <> b.remaining;
  END IF;
  IF wrong IS NOT NULL THEN
    PERFORM ledger_disagrees('lot_agrees', f.account_id) FROM fresh f WHERE f.id = wrong[1];
  END IF;
  IF TG_OP = 'INSERT' AND EXISTS (
       SELECT FROM fresh f
       WHERE NOT EXISTS (SELECT FROM members_operation o WHERE o.id = f.operation_id)
          OR NOT EXISTS (SELECT FROM members_operation o WHERE o.id = f.source_id)) THEN
    RAISE EXCEPTION 'a lot is of a deed that is not there'
      USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'lot_begins_agreed';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER lot_agrees AFTER UPDATE ON members_lot
REFERENCING OLD TABLE AS stale NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION lots_agree();
CREATE TRIGGER lot_begins_agreed AFTER INSERT ON members_lot
REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION lots_agree();

CREATE TRIGGER lot_use_fits AFTER INSERT ON members_lotuse
REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION lot_uses_fit();

-- Accounts stay: what points at them, at their member, their card or their store needs no look of its own.
CREATE FUNCTION ledger_rows_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'accounts and lots stay: the ledger is append-only';
END $$;
CREATE TRIGGER account_rows_stay BEFORE DELETE ON members_account
FOR EACH ROW EXECUTE FUNCTION ledger_rows_stay();
CREATE TRIGGER account_table_stays BEFORE TRUNCATE ON members_account
FOR EACH STATEMENT EXECUTE FUNCTION ledger_rows_stay();
CREATE TRIGGER lot_table_stays BEFORE TRUNCATE ON members_lot
FOR EACH STATEMENT EXECUTE FUNCTION ledger_rows_stay();
-- and an account changes neither its kind nor whose it is
CREATE TRIGGER account_keeps_owner BEFORE UPDATE OF kind, member_id, card_id, store_id ON members_account
FOR EACH ROW WHEN ((OLD.kind, OLD.member_id, OLD.card_id, OLD.store_id)
                   IS DISTINCT FROM (NEW.kind, NEW.member_id, NEW.card_id, NEW.store_id))
EXECUTE FUNCTION ledger_rows_stay();

-- A deed is of a store, a member and a card of theirs that have accounts, on a day that is not signed. AFTER, so that a
-- key already used still gives its first answer. For all the deeds of a statement, the days locked in one order.
CREATE OR REPLACE FUNCTION day_takes_deed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  wrong record;
BEGIN
  PERFORM pg_advisory_xact_lock_shared(d.lock_key)
  FROM (SELECT DISTINCT day_lock_key(f.store_id, (f.at AT TIME ZONE s.timezone)::date) AS lock_key
        FROM fresh f JOIN members_store s ON s.id = f.store_id ORDER BY 1) d;
  SELECT f.id, f.store_id, (f.at AT TIME ZONE s.timezone)::date AS business_day, c.id IS NOT NULL AS is_closed
  INTO wrong
  FROM fresh f
  LEFT JOIN members_store s ON s.id = f.store_id
  LEFT JOIN members_dayclose c
    ON c.store_id = s.id AND c."on" = (f.at AT TIME ZONE s.timezone)::date AND c.reopened_at IS NULL
  WHERE c.id IS NOT NULL OR s.id IS NULL
     OR (NOT EXISTS (SELECT FROM members_account a WHERE a.member_id = f.member_id)  -- few have none
         AND NOT EXISTS (SELECT FROM members_member m WHERE m.id = f.member_id))
     OR (f.card_id IS NOT NULL AND NOT EXISTS (SELECT FROM members_card k WHERE k.id = f.card_id))
  LIMIT 1;
  IF wrong.is_closed THEN
    RAISE EXCEPTION 'the business day % of store % is closed', wrong.business_day, wrong.store_id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'period_closed', DETAIL = wrong.business_day::text;
  ELSIF FOUND THEN
    RAISE EXCEPTION 'operation % is of a store, a member or a card that the ledger does not know', wrong.id
      USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'operation_in_open_day';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER operation_in_open_day AFTER INSERT ON members_operation
REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION day_takes_deed();

-- The hash of an account's next entry in a row of them: goes on from `seed` where there is none before.
CREATE FUNCTION ledger_link_on(before bytea, seed bytea, account_id bigint, seq int, amount bigint,
                               balance_after bigint, operation_id bigint)
RETURNS bytea LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT ledger_link(coalesce(before, seed), account_id, seq, amount, balance_after, operation_id)
$$;
CREATE AGGREGATE ledger_chain_on(bytea, bigint, int, bigint, bigint, bigint) (SFUNC = ledger_link_on, STYPE = bytea);

-- A store's counter-account is made when it is first needed: `legs` as ledger_write takes them.
CREATE FUNCTION ledger_counters(legs jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO members_account (kind, store_id, last_seq)
  SELECT DISTINCT c.kind, c.store, 0 FROM jsonb_to_recordset(legs) AS c(store bigint, kind text)
  WHERE c.store IS NOT NULL
    AND NOT EXISTS (SELECT FROM members_account a WHERE a.store_id = c.store AND a.kind = c.kind)
  ORDER BY 2, 1
  ON CONFLICT (store_id, kind) DO NOTHING;
END $$;

