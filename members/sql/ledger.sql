-- The ledger's two doors, each one round trip, and the guards that hold whoever writes.

-- Opens a deed: claims the idempotency key, locks the accounts of its card and of its member in id order, reads
-- them and the lots of the kinds asked for. A key already used answers {"replayed": true}; nothing is locked then.
CREATE OR REPLACE FUNCTION ledger_open(deed jsonb, lot_kinds text[])
RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  deed_member bigint := (deed->>'member')::bigint;
  deed_card bigint := (deed->>'card')::bigint;
  deed_at timestamptz := (deed->>'at')::timestamptz;
  operation_id bigint;
  operation_public_id uuid;
  accounts jsonb;
  lots jsonb;
BEGIN
  INSERT INTO members_operation
    (public_id, kind, scope, key, request, store_id, staff_id, member_id, card_id, reverses_id,
     amount_minor, note, at)
  VALUES
    (gen_random_uuid(), deed->>'kind', deed->>'scope', deed->>'key', deed->'request',
     (deed->>'store')::bigint, (deed->>'staff')::bigint, deed_member, deed_card,
     (deed->>'reverses')::bigint, (deed->>'amount')::bigint, deed->>'note', deed_at)
  ON CONFLICT (scope, key) DO NOTHING
  RETURNING id, public_id INTO operation_id, operation_public_id;
  IF operation_id IS NULL THEN
    SELECT id INTO operation_id FROM members_operation
    WHERE scope = deed->>'scope' AND key = deed->>'key';
    RETURN jsonb_build_object('replayed', true, 'operation', operation_id);
  END IF;

  SELECT coalesce(jsonb_agg(jsonb_build_object('id', a.id, 'kind', a.kind, 'balance', a.balance)), '[]')
  INTO accounts
  FROM (SELECT id, kind, balance FROM members_account
        WHERE member_id = deed_member AND (card_id = deed_card OR card_id IS NULL)
        ORDER BY id FOR NO KEY UPDATE) a;

  IF cardinality(lot_kinds) > 0 THEN
    SELECT jsonb_agg(jsonb_build_object(
             'id', l.id, 'kind', a.kind, 'operation', l.operation_id, 'remaining', l.remaining)
             ORDER BY l.expires_at NULLS LAST, l.id)
    INTO lots
    FROM members_account a JOIN members_lot l ON l.account_id = a.id
    WHERE a.member_id = deed_member AND (a.card_id = deed_card OR a.card_id IS NULL)
      AND a.kind = ANY(lot_kinds) AND l.remaining > 0
      AND (l.expires_at IS NULL OR l.expires_at > deed_at);
  END IF;

  RETURN jsonb_build_object('replayed', false, 'operation', operation_id, 'public_id', operation_public_id,
                            'accounts', accounts, 'lots', coalesce(lots, '[]'));
END $$;

-- Writes a deed's legs. Each leg is one entry:
--   member account: {"account": id, "amount": ±n, "uses": [{"lot": id, "amount": ±n}]}
--                   or, for new value, {"account": id, "amount": +n, "paid": n, "expires_at": t}
--   counter-account: {"store": id, "kind": k, "amount": ±n}
-- The accounts must have been locked by ledger_open. Returns the balances after.
CREATE OR REPLACE FUNCTION ledger_write(deed_operation bigint, legs jsonb, tenders jsonb)
RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  op members_operation%ROWTYPE;
  leg jsonb;
  leg_amount bigint;
  target members_account%ROWTYPE;
  entry_id bigint;
  lot_id bigint;
  touched int;
  balances jsonb := '{}';
BEGIN
  SELECT * INTO op FROM members_operation WHERE id = deed_operation;
  FOR leg IN SELECT value FROM jsonb_array_elements(legs) LOOP
    leg_amount := (leg->>'amount')::bigint;
    IF leg ? 'account' THEN
      UPDATE members_account SET balance = balance + leg_amount, last_seq = last_seq + 1
      WHERE id = (leg->>'account')::bigint AND balance IS NOT NULL
      RETURNING * INTO target;
      IF target.member_id IS DISTINCT FROM op.member_id THEN
        RAISE EXCEPTION 'account % does not belong to the member of operation %', leg->>'account', op.id;
      END IF;
    ELSE
      SELECT * INTO target FROM members_account
      WHERE store_id = (leg->>'store')::bigint AND kind = leg->>'kind';
      IF NOT FOUND THEN
        INSERT INTO members_account (kind, store_id, last_seq)
        VALUES (leg->>'kind', (leg->>'store')::bigint, 0)
        ON CONFLICT (store_id, kind) DO UPDATE SET last_seq = 0
        RETURNING * INTO target;
      END IF;
    END IF;

    INSERT INTO members_entry
      (operation_id, account_id, operation_kind, account_kind, sign, unit, amount, seq, balance_after)
    VALUES
      (op.id, target.id, op.kind, target.kind, sign(leg_amount),
       CASE WHEN target.kind IN ('points', 'points_cost', 'rewards', 'points_breakage')
            THEN 'points' ELSE 'money' END,
       leg_amount,
       CASE WHEN target.balance IS NULL THEN NULL ELSE target.last_seq END,
       target.balance)
    RETURNING id INTO entry_id;

    IF leg ? 'uses' THEN
      UPDATE members_lot l
      SET remaining = l.remaining + u.amount,
          expires_at = CASE WHEN u.amount > 0 AND l.expires_at < op.at + interval '7 days'
                            THEN op.at + interval '7 days' ELSE l.expires_at END
      FROM jsonb_to_recordset(leg->'uses') AS u(lot bigint, amount bigint)
      WHERE l.id = u.lot AND l.account_id = target.id;
      GET DIAGNOSTICS touched = ROW_COUNT;
      IF touched <> jsonb_array_length(leg->'uses') THEN
        RAISE EXCEPTION 'a lot of operation % is not in account %', op.id, target.id;
      END IF;
      INSERT INTO members_lotuse (entry_id, lot_id, amount)
      SELECT entry_id, u.lot, u.amount
      FROM jsonb_to_recordset(leg->'uses') AS u(lot bigint, amount bigint);
    ELSIF leg ? 'account' THEN
      INSERT INTO members_lot (account_id, operation_id, original, remaining, paid_minor, expires_at)
      VALUES (target.id, op.id, leg_amount, leg_amount, coalesce((leg->>'paid')::bigint, 0),
              (leg->>'expires_at')::timestamptz)
      RETURNING id INTO lot_id;
    END IF;

    IF target.balance IS NOT NULL THEN
      balances := balances || jsonb_build_object(target.kind, target.balance);
    END IF;
  END LOOP;

  INSERT INTO members_tender (operation_id, type, amount_minor, reference)
  SELECT op.id, t.type, t.amount, coalesce(t.reference, '')
  FROM jsonb_to_recordset(tenders) AS t(type text, amount bigint, reference text);
  RETURN balances;
END $$;

-- Σ = 0 per unit and at least two entries, judged at commit (L1).
CREATE OR REPLACE FUNCTION ledger_entry_balanced() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM members_entry WHERE operation_id = NEW.operation_id
             GROUP BY unit HAVING sum(amount) <> 0 OR count(*) < 2) THEN
    RAISE EXCEPTION 'operation % does not sum to zero', NEW.operation_id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'operation_sums_to_zero';
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER operation_sums_to_zero AFTER INSERT ON members_entry
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_entry_balanced();

-- Balance = Σ lots remaining = last entry's balance_after, judged at commit whichever of them was touched (L2, L5).
CREATE OR REPLACE FUNCTION ledger_check_account(checked bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  now_balance bigint;
  now_seq int;
BEGIN
  SELECT balance, last_seq INTO now_balance, now_seq FROM members_account WHERE id = checked;
  IF now_balance IS NULL THEN RETURN; END IF;
  IF now_balance <> (SELECT coalesce(sum(remaining), 0) FROM members_lot
                     WHERE account_id = checked AND remaining > 0)
     OR (now_seq > 0 AND now_balance IS DISTINCT FROM
         (SELECT balance_after FROM members_entry WHERE account_id = checked AND seq = now_seq))
     OR (now_seq = 0 AND now_balance <> 0) THEN
    RAISE EXCEPTION 'account % does not agree with its lots and entries', checked
      USING ERRCODE = 'check_violation', CONSTRAINT = 'account_agrees';
  END IF;
END $$;
CREATE OR REPLACE FUNCTION ledger_account_agrees() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM ledger_check_account(NEW.id);
  RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION ledger_lot_agrees() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM ledger_check_account(NEW.account_id);
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER account_agrees AFTER INSERT OR UPDATE ON members_account
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_account_agrees();
CREATE CONSTRAINT TRIGGER lot_agrees AFTER INSERT OR UPDATE ON members_lot
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_lot_agrees();

-- A lot may change only in what remains and in a later expiry; it never disappears.
CREATE OR REPLACE FUNCTION ledger_lot_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' OR (NEW.account_id, NEW.operation_id, NEW.original, NEW.paid_minor)
     IS DISTINCT FROM (OLD.account_id, OLD.operation_id, OLD.original, OLD.paid_minor) THEN
    RAISE EXCEPTION 'a lot keeps its origin';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER lot_guard BEFORE UPDATE OR DELETE ON members_lot
FOR EACH ROW EXECUTE FUNCTION ledger_lot_guard();

-- An entry may only be what the posting matrix allows.
ALTER TABLE members_entry ADD CONSTRAINT entry_posting_rule
FOREIGN KEY (operation_kind, account_kind, sign)
REFERENCES members_postingrule (operation_kind, account_kind, sign);
