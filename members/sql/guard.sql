-- What forbids a deed before anything is locked: asked by ledger_open once the key is claimed.

-- The hash a second person's yes is bound to: over the canonical form of what is asked (jsonb sorts its keys).
CREATE OR REPLACE FUNCTION control_hash(payload jsonb) RETURNS bytea LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT sha256(convert_to(payload::text, 'UTF8'))
$$;

-- What of a deed a yes is bound to: all that is asked. Of a merge, what its deeds have in common: both members and all
-- that moves (`whole`); not which card moves what, nor the form it came by.
CREATE OR REPLACE FUNCTION control_bound(request jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN request ? 'whole' THEN request - ARRAY['card', 'amount', 'services', 'points', 'once']
              ELSE request END
$$;

-- Which limit an operation falls under (null: none), and how much of it it uses up. A merge undone is under none: it
-- gives back what nobody has touched.
CREATE OR REPLACE FUNCTION control_deed(kind text, request jsonb) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE kind WHEN 'refund' THEN 'refund' WHEN 'refund_recharge' THEN 'refund_recharge'
    WHEN 'recharge' THEN CASE WHEN request->>'plan' IS NOT NULL THEN 'recharge' END
    WHEN 'adjust' THEN CASE WHEN request->>'account' = 'points' THEN 'adjust_points' ELSE 'adjust' END
    WHEN 'close' THEN 'close' WHEN 'opening' THEN 'opening'
    WHEN 'move_out' THEN CASE WHEN request->>'way' IS DISTINCT FROM 'back' THEN 'transfer' END
    WHEN 'sell_services' THEN 'sell_services' END
$$;
CREATE OR REPLACE FUNCTION control_measure(kind text, request jsonb, amount bigint) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN kind = 'adjust' THEN abs((request->>'amount')::bigint) ELSE amount END
$$;

-- Every limit an operation falls under, and how much of each it uses up: minor units, points or services.
CREATE OR REPLACE FUNCTION control_uses(kind text, request jsonb, amount bigint)
RETURNS TABLE (deed text, measure bigint) LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT control_deed(kind, request), control_measure(kind, request, amount) WHERE control_deed(kind, request) IS NOT NULL
  UNION ALL
  SELECT CASE kind WHEN 'refund' THEN 'return_services' ELSE 'transfer_services' END, (request->>'services')::bigint
  WHERE kind IN ('refund', 'move_out') AND (request->>'services')::bigint > 0
    AND request->>'way' IS DISTINCT FROM 'back'
  UNION ALL
  SELECT CASE kind WHEN 'refund' THEN 'refund_points' ELSE 'transfer_points' END, (request->>'points')::bigint
  WHERE kind IN ('refund', 'move_out') AND (request->>'points')::bigint > 0
    AND request->>'way' IS DISTINCT FROM 'back'
$$;

-- Whether an account is the person's own, or one on their own phone: nobody deals with it or approves it.
CREATE OR REPLACE FUNCTION control_is_own(person bigint, of_member bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT 1 FROM members_staff s JOIN members_member m ON m.id = of_member
                 WHERE s.id = person AND (s.member_id = m.id OR s.phone_hash = m.phone_hash))
$$;

-- Whether one of the members a request is about is the person's own: its member, both of a merge, who a transfer is to.
CREATE OR REPLACE FUNCTION control_is_about_own(person bigint, request jsonb) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (
    SELECT 1 FROM (SELECT (request->>'member')::bigint
                   UNION ALL SELECT jsonb_array_elements_text(request->'merge')::bigint
                   UNION ALL SELECT t.receiver_id FROM members_transfer t WHERE t.id = (request->>'transfer')::bigint
                  ) about (of_member)
    WHERE control_is_own(person, about.of_member))
$$;

-- A person's highest role at the till of a store; null when they have none. A superuser has no limit of a role.
CREATE OR REPLACE FUNCTION control_role(person bigint, at_store bigint) RETURNS text LANGUAGE sql STABLE AS $$
  SELECT r.role FROM members_staffrole r
  WHERE r.staff_id = person AND r.store_id = at_store AND r.role IN ('owner', 'manager', 'cashier')
  ORDER BY array_position(ARRAY['owner', 'manager', 'cashier'], r.role::text) LIMIT 1
$$;

-- The merge an operation belongs to, null for any other deed: however many cards it moves, it is one deed of a limit by
-- count, and approved as one.
CREATE OR REPLACE FUNCTION control_merge(scope text, request jsonb) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN request ? 'whole' THEN scope || ' ' || (request->>'once') END
$$;

-- How much more of a deed a person may do alone: the least that any limit leaves. `is_limited` false: no limit.
-- The person's row is locked first, so that of two at once the second sees what the first used up.
CREATE OR REPLACE FUNCTION control_left(
  person bigint, at_store bigint, limited text, used bigint, deed_operation bigint,
  OUT is_limited boolean, OUT left_amount bigint, OUT left_count bigint, OUT is_over boolean
) LANGUAGE plpgsql AS $$
DECLARE
  held_role text;
  rule record;
  since timestamptz;
  spent bigint;
  done bigint;
  own_merge text;
BEGIN
  is_limited := false;
  is_over := false;
  SELECT CASE WHEN s.is_superuser THEN NULL ELSE control_role(person, at_store) END INTO held_role
  FROM members_staff s WHERE s.id = person;
  FOR rule IN
    SELECT DISTINCT ON (l.window_hours, l.store_id) l.window_hours, l.store_id, l.amount_max, l.count_max
    FROM members_stafflimit l
    WHERE l.deed = limited AND (l.store_id IS NULL OR l.store_id = at_store)
      AND (l.staff_id = person OR (l.staff_id IS NULL AND l.role = held_role AND NOT EXISTS (
             SELECT 1 FROM members_stafflimit own
             WHERE own.deed = limited AND own.staff_id = person AND own.window_hours = l.window_hours
               AND (own.store_id IS NULL OR own.store_id = at_store))))
    ORDER BY l.window_hours, l.store_id, l.staff_id NULLS LAST
  LOOP
    IF NOT is_limited THEN
      PERFORM 1 FROM members_staff WHERE id = person FOR NO KEY UPDATE;
      is_limited := true;
      SELECT control_merge(o.scope, o.request) INTO own_merge FROM members_operation o WHERE o.id = deed_operation;
    END IF;
    since := clock_timestamp() - make_interval(hours => rule.window_hours);  -- after the lock; outside for the index
    SELECT coalesce(sum(u.measure), 0),
           count(DISTINCT coalesce(control_merge(o.scope, o.request), o.id::text))
             FILTER (WHERE NOT coalesce(control_merge(o.scope, o.request) = own_merge, false))
    INTO spent, done
    FROM members_operation o CROSS JOIN control_uses(o.kind, o.request, o.amount_minor) u
    WHERE o.staff_id = person AND o.id <> deed_operation
      AND o.kind IN ('refund', 'refund_recharge', 'recharge', 'adjust', 'close', 'move_out', 'opening', 'sell_services')
      AND o.created_at > since
      AND u.deed = limited
      AND (rule.store_id IS NULL OR o.store_id = rule.store_id)
      AND NOT EXISTS (SELECT 1 FROM members_approval p WHERE p.operation_id = o.id)
      AND NOT EXISTS (SELECT 1 FROM members_approval p JOIN members_operation a ON a.id = p.operation_id
                      WHERE p.maker_id = person
                        AND control_merge(a.scope, a.request) = control_merge(o.scope, o.request));
    left_amount := least(left_amount, CASE WHEN rule.amount_max > spent THEN rule.amount_max - spent
                                           WHEN rule.amount_max IS NOT NULL THEN 0 END);
    left_count := least(left_count, CASE WHEN rule.count_max > done THEN rule.count_max - done
                                         WHEN rule.count_max IS NOT NULL THEN 0 END);
    is_over := is_over OR coalesce(spent + used > rule.amount_max OR done + 1 > rule.count_max, false);
  END LOOP;
END $$;

-- Uses up the approval a deed is done on, or says why it is none for it. Locked: the approval, the checker's roles.
CREATE OR REPLACE FUNCTION control_use_approval(deed jsonb, limited text, used bigint, deed_operation bigint)
RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  given record;
  shown text := deed->>'approval';
  same_batch boolean;
BEGIN
  -- asked before, not in the query: its plan casts a known text although a CASE would not have come to it
  IF NOT pg_input_is_valid(shown, 'uuid') THEN RETURN '{"refused": "approval_mismatch"}'; END IF;
  SELECT * INTO given FROM members_approval a WHERE a.public_id = shown::uuid FOR NO KEY UPDATE;
  IF NOT FOUND OR given.maker_id <> (deed->>'staff')::bigint OR given.store_id <> (deed->>'store')::bigint THEN
    RETURN '{"refused": "approval_mismatch"}';
  END IF;
  IF deed->'request' ? 'whole' THEN
    -- one yes to a whole merge, asked for under whichever limit it is above: all its deeds are done on it
    IF given.payload_hash <> control_hash(control_bound(deed->'request'))
       OR given.amount IS DISTINCT FROM (deed->'request'->'whole'->>given.deed)::bigint THEN
      RETURN '{"refused": "approval_mismatch"}';
    END IF;
    PERFORM 1 FROM members_operation o
    WHERE o.id = given.operation_id AND o.request->>'once' = deed->'request'->>'once';
    IF FOUND THEN RETURN NULL; END IF;
  ELSIF given.deed IS DISTINCT FROM limited THEN
    RETURN '{"refused": "approval_mismatch"}';
  ELSIF limited = 'opening' THEN
    -- one yes to a whole file: every row names the batch, and all are posted in the transaction that used it
    same_batch := given.payload->>'batch' = deed->'request'->>'batch';
    IF NOT coalesce(same_batch, false) THEN RETURN '{"refused": "approval_mismatch"}'; END IF;
    IF given.status = 'used' AND given.used_at = now() THEN RETURN NULL; END IF;
  ELSIF given.payload_hash <> control_hash(deed->'request') OR given.amount <> used THEN
    RETURN '{"refused": "approval_mismatch"}';
  END IF;
  IF given.status = 'used' THEN RETURN '{"refused": "approval_used"}'; END IF;
  IF given.status = 'refused' THEN RETURN '{"refused": "approval_refused"}'; END IF;
  IF given.status = 'pending' THEN RETURN '{"refused": "approval_waiting"}'; END IF;
  IF given.checker_id = given.maker_id THEN RETURN '{"refused": "self_approval"}'; END IF;
  IF given.expires_at <= (deed->>'at')::timestamptz THEN RETURN '{"refused": "approval_expired"}'; END IF;
  -- whoever approved must be in charge there at this moment; the role cannot go before this deed is over
  PERFORM 1 FROM members_staffrole r JOIN members_staff s ON s.id = r.staff_id
  WHERE r.staff_id = given.checker_id AND r.store_id = given.store_id AND r.role IN ('manager', 'owner')
    AND s.is_active FOR SHARE OF r FOR KEY SHARE OF s;
  IF NOT FOUND THEN
    PERFORM 1 FROM members_staff s WHERE s.id = given.checker_id AND s.is_active AND s.is_superuser FOR SHARE;
    IF NOT FOUND THEN RETURN '{"refused": "approval_withdrawn"}'; END IF;
  END IF;
  IF control_is_about_own(given.checker_id, deed->'request') THEN RETURN '{"refused": "own_account"}'; END IF;
  UPDATE members_approval SET status = 'used', used_at = now(), operation_id = deed_operation
  WHERE id = given.id;
  RETURN NULL;
END $$;

-- Answers null, or {"refused": code, ...facts} which members/domain/ledger.py turns into a refusal in plain words.
-- A deed of no limited kind, or of another system, costs the own-account look and nothing else.
CREATE OR REPLACE FUNCTION ledger_guard(deed jsonb, operation_id bigint)
RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  person bigint := (deed->>'staff')::bigint;
  part record;
  rest record;
  answer jsonb;
BEGIN
  -- a card's own standing stops the other deeds of a member who was merged or erased. The member's row is locked
  -- before any account, as a merge does: what is read here is what a merge under way has made of it
  IF deed->>'kind' IN ('open_card', 'earn', 'opening') THEN
    PERFORM 1 FROM members_member m WHERE m.id = (deed->>'member')::bigint AND m.status = 'active' FOR SHARE;
    IF NOT FOUND THEN RETURN '{"refused": "member_not_current"}'; END IF;
  END IF;
  IF person IS NULL THEN RETURN NULL; END IF;
  IF control_is_own(person, (deed->>'member')::bigint) THEN RETURN '{"refused": "own_account"}'; END IF;
  FOR part IN SELECT * FROM control_uses(deed->>'kind', deed->'request', (deed->>'amount')::bigint) LOOP
    IF deed->>'approval' IS NOT NULL THEN
      -- a yes was asked for under one limit; it is to the whole deed, bound by its hash
      answer := control_use_approval(deed, part.deed, part.measure, operation_id);
      EXIT WHEN answer->>'refused' IS DISTINCT FROM 'approval_mismatch';
      CONTINUE;
    END IF;
    rest := control_left(person, (deed->>'store')::bigint, part.deed, part.measure, operation_id);
    -- value out of nothing is never one person's word: opening balances always, adjustments without a limit for them
    IF part.deed = 'opening' OR (part.deed IN ('adjust', 'adjust_points') AND NOT rest.is_limited
                                 AND NOT control_is_owner(person, (deed->>'store')::bigint)) THEN
      rest.is_over := true;
      rest.left_amount := 0;
    END IF;
    CONTINUE WHEN NOT rest.is_over;
    -- of a merge all that moves is asked for, whichever card is over; what is left before it is not known there
    IF deed->'request' ? 'whole' THEN
      part.measure := (deed->'request'->'whole'->>part.deed)::bigint;
      rest.left_amount := NULL;
      rest.left_count := NULL;
    END IF;
    RETURN jsonb_build_object('refused', 'approval_required', 'deed', part.deed, 'amount', part.measure,
                              'payload', control_bound(deed->'request'),
                              'remaining', rest.left_amount, 'remaining_count', rest.left_count);
  END LOOP;
  RETURN answer;
END $$;

CREATE OR REPLACE FUNCTION control_is_owner(person bigint, at_store bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT 1 FROM members_staff s WHERE s.id = person AND s.is_superuser)
      OR EXISTS (SELECT 1 FROM members_staffrole r
                 WHERE r.staff_id = person AND r.store_id = at_store AND r.role = 'owner')
$$;
