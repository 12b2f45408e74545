-- The ledger's two doors, each one round trip, and the guards that hold whoever writes.

CREATE OR REPLACE FUNCTION ledger_unit(account_kind text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN account_kind IN ('points', 'points_cost', 'rewards', 'points_transit', 'points_breakage')
              THEN 'points'
              WHEN account_kind IN ('services', 'services_sold', 'services_served', 'services_transit',
                                    'services_breakage')
              THEN 'services' ELSE 'money' END
$$;

-- The next hash of an account: of the one before and of the new entry (L16).
CREATE OR REPLACE FUNCTION ledger_link(
  before bytea, account_id bigint, seq int, amount bigint, balance_after bigint, operation_id bigint
) RETURNS bytea LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT sha256(coalesce(before, ''::bytea)
                || convert_to(account_id || '|' || seq || '|' || amount || '|' || balance_after || '|'
                              || operation_id, 'UTF8'))
$$;
-- The same over a whole account: ledger_chain(...) OVER (PARTITION BY account_id ORDER BY seq).
CREATE AGGREGATE ledger_chain(bigint, int, bigint, bigint, bigint) (SFUNC = ledger_link, STYPE = bytea);

-- Opens a deed: claims the idempotency key, asks ledger_guard, locks the accounts of its card and of its member in id
-- order, reads them and the spendable lots of the kinds asked for. A key already used answers {"replayed": true};
-- nothing is locked then. What a guard forbids answers {"refused": code, ...}: the caller rolls back.
CREATE OR REPLACE FUNCTION ledger_open(deed jsonb, lot_kinds text[])
RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  deed_member bigint := (deed->>'member')::bigint;
  deed_card bigint := (deed->>'card')::bigint;
  deed_at timestamptz := (deed->>'at')::timestamptz;
  operation_id bigint;
  operation_public_id uuid;
  refusal jsonb;
  accounts jsonb;
  has_frozen boolean;
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

  refusal := ledger_guard(deed, operation_id);
  IF refusal IS NOT NULL THEN RETURN refusal || '{"replayed": false}'; END IF;

  SELECT coalesce(jsonb_agg(jsonb_build_object('id', a.id, 'kind', a.kind, 'balance', a.balance)), '[]'),
         bool_or(a.is_frozen)
  INTO accounts, has_frozen
  FROM (SELECT id, kind, balance, is_frozen FROM members_account
        WHERE member_id = deed_member AND (card_id = deed_card OR card_id IS NULL)
        ORDER BY id FOR NO KEY UPDATE) a;
  IF has_frozen THEN RETURN '{"refused": "account_frozen", "replayed": false}'; END IF;

  IF cardinality(lot_kinds) > 0 THEN
    SELECT jsonb_agg(jsonb_build_object(
             'id', l.id, 'kind', a.kind, 'source', l.source_id, 'sold_at', s.store_id,
             'remaining', l.remaining - l.held, 'original', l.original, 'paid', l.paid_minor, 'terms', l.terms,
             'expires_at', l.expires_at)
             ORDER BY l.expires_at NULLS LAST, l.id)
    INTO lots
    FROM members_account a
    JOIN members_lot l ON l.account_id = a.id
    JOIN members_operation s ON s.id = l.source_id
    WHERE a.member_id = deed_member AND (a.card_id = deed_card OR a.card_id IS NULL)
      AND a.kind = ANY(lot_kinds) AND l.remaining > l.held
      AND (l.expires_at IS NULL OR l.expires_at > deed_at)
      AND (l.active_from IS NULL OR l.active_from <= deed_at);
  END IF;

  -- the card's standing is read under its accounts' locks: a card frozen meanwhile is frozen here
  RETURN jsonb_build_object('replayed', false, 'operation', operation_id, 'public_id', operation_public_id,
                            'card_status', (SELECT status FROM members_card WHERE id = deed_card),
                            'stamp', (SELECT stamp FROM members_housebook),
                            'accounts', accounts, 'lots', coalesce(lots, '[]'));
END $$;

-- Writes a deed's legs, its outside money, its visit and the event that tells it. Each leg is one entry:
--   member account: {"account": id, "amount": ±n, "uses": [{"lot": id, "amount": ±n}]}
--     or, for new value, {"account": id, "amount": +n, "lots": [{"amount": n, "paid": n, "source": operation,
--     "expires_at": t, "active_from": t, "terms": {...}}]}; source is this deed when it is not said
--   counter-account: {"store": id, "kind": k, "amount": ±n}
-- `visit` is {"bill": n} for a purchase, {"returned": n} for one taken back, or null.
-- `told` is {"type", "payload", "source", "key"} or null. The accounts must have been locked by ledger_open.
-- Answers {"balances": {kind: n}, "event": id, "event_public_id": uuid}.
CREATE OR REPLACE FUNCTION ledger_write(deed_operation bigint, legs jsonb, tenders jsonb, visit jsonb, told jsonb)
RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  op members_operation%ROWTYPE;
  leg jsonb;
  leg_amount bigint;
  target members_account%ROWTYPE;
  entry_id bigint;
  touched int;
  balances jsonb := '{}';
  event_id bigint;
  event_uuid uuid;
BEGIN
  SELECT * INTO op FROM members_operation WHERE id = deed_operation;
  FOR leg IN SELECT value FROM jsonb_array_elements(legs) WHERE value ? 'account' LOOP
    leg_amount := (leg->>'amount')::bigint;
    UPDATE members_account
    SET balance = balance + leg_amount, last_seq = last_seq + 1,
        last_hash = ledger_link(last_hash, id, last_seq + 1, leg_amount, balance + leg_amount, op.id)
    WHERE id = (leg->>'account')::bigint AND balance IS NOT NULL
    RETURNING * INTO target;
    IF target.member_id IS DISTINCT FROM op.member_id THEN
      RAISE EXCEPTION 'account % does not belong to the member of operation %', leg->>'account', op.id;
    END IF;
    INSERT INTO members_entry
      (operation_id, account_id, operation_kind, account_kind, sign, unit, amount, seq, balance_after, hash)
    VALUES
      (op.id, target.id, op.kind, target.kind, sign(leg_amount), ledger_unit(target.kind), leg_amount,
       target.last_seq, target.balance, target.last_hash)
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
    ELSE
      INSERT INTO members_lot
        (account_id, operation_id, source_id, original, remaining, paid_minor, terms, active_from, expires_at)
      SELECT target.id, op.id, coalesce(n.source, op.id), n.amount, n.amount, coalesce(n.paid, 0), n.terms,
             n.active_from, n.expires_at
      FROM jsonb_to_recordset(leg->'lots') AS n(
        amount bigint, paid bigint, source bigint, terms jsonb, active_from timestamptz, expires_at timestamptz);
    END IF;
    balances := balances || jsonb_build_object(target.kind, target.balance);
  END LOOP;

  -- a store's counter-account is made when it is first needed
  INSERT INTO members_account (kind, store_id, last_seq)
  SELECT c.kind, c.store, 0 FROM jsonb_to_recordset(legs) AS c(store bigint, kind text)
  WHERE c.store IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM members_account a WHERE a.store_id = c.store AND a.kind = c.kind)
  ORDER BY c.store, c.kind
  ON CONFLICT (store_id, kind) DO NOTHING;
  INSERT INTO members_entry (operation_id, account_id, operation_kind, account_kind, sign, unit, amount)
  SELECT op.id, a.id, op.kind, a.kind, sign(c.amount), ledger_unit(a.kind), c.amount
  FROM jsonb_to_recordset(legs) AS c(store bigint, kind text, amount bigint)
  JOIN members_account a ON a.store_id = c.store AND a.kind = c.kind;

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
-- (freezing an account that disagrees must stay possible)
CREATE CONSTRAINT TRIGGER account_agrees AFTER INSERT OR UPDATE OF balance, last_seq, last_hash ON members_account
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_account_agrees();
CREATE CONSTRAINT TRIGGER lot_agrees AFTER INSERT OR UPDATE ON members_lot
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_lot_agrees();

-- A lot may change only in what remains, in what is held and in a later expiry; it never disappears.
CREATE OR REPLACE FUNCTION ledger_lot_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' OR (NEW.account_id, NEW.operation_id, NEW.source_id, NEW.original,
                              NEW.paid_minor, NEW.terms, NEW.active_from)
     IS DISTINCT FROM (OLD.account_id, OLD.operation_id, OLD.source_id, OLD.original,
                       OLD.paid_minor, OLD.terms, OLD.active_from) THEN
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
