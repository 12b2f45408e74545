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
      AND a.kind = ANY(lot_kinds) AND l.remaining > 0 AND l.remaining > l.held
      AND (l.expires_at IS NULL OR l.expires_at > deed_at)
      AND (l.active_from IS NULL OR l.active_from <= deed_at);
  END IF;

  -- the card's standing is read under its accounts' locks: a card frozen meanwhile is frozen here
  RETURN jsonb_build_object('replayed', false, 'operation', operation_id, 'public_id', operation_public_id,
                            'card_status', (SELECT status FROM members_card WHERE id = deed_card),
                            'stamp', (SELECT stamp FROM members_housebook),
                            'accounts', accounts, 'lots', coalesce(lots, '[]'));
END $$;
