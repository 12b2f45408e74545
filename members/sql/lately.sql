-- What left a member lately, for the limits that a bill cut into parts must not slip through. Asked under the locks of
-- the deed that wants more (its card's accounts and the member's points), so of two at once the second sees the first.
-- Both read the member's deeds from the newest back and stop at the end of the window, or when `enough` is reached.
-- Value that only changes its card (a lost one replaced, a refund that goes on to the card in its place) has not left.

-- Stored value that left one card without the member's code, by bills and by value passed on.
CREATE OR REPLACE FUNCTION lately_without_code(of_card bigint, of_member bigint, besides bigint, span interval, enough bigint)
RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE
  since timestamptz := clock_timestamp() - span;
  deed record;
  total bigint := 0;
BEGIN
  FOR deed IN SELECT o.id, o.kind, o.card_id, o.request, o.created_at FROM members_operation o
              WHERE o.member_id = of_member ORDER BY o.id DESC LOOP
    -- ids are given before the locks: a deed that waited may be a little older than its neighbours
    EXIT WHEN total >= enough OR deed.created_at < since - interval '1 minute';
    CONTINUE WHEN deed.id = besides OR deed.created_at < since OR deed.card_id IS DISTINCT FROM of_card
      OR deed.kind NOT IN ('spend', 'move_out') OR (deed.kind = 'move_out' AND NOT deed.request ? 'transfer')
      OR coalesce((deed.request->>'is_confirmed')::boolean, false);
    total := total + (SELECT coalesce(-sum(e.amount), 0) FROM members_entry e
                      WHERE e.operation_id = deed.id AND e.account_kind IN ('principal', 'bonus'));
  END LOOP;
  RETURN total;
END $$;

-- What left a member, or is held of theirs: stored value of all their cards, points by what they paid, services by their
-- price, and what a closed card or a recharge taken back paid out.
CREATE OR REPLACE FUNCTION lately_taken(of_member bigint, besides bigint, besides_hold bigint, begun timestamptz, span interval,
                             enough bigint)
RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE
  since timestamptz := clock_timestamp() - span;
  deed record;
  total bigint := 0;
BEGIN
  FOR deed IN SELECT o.id, o.kind, o.request, o.at, o.created_at FROM members_operation o
              WHERE o.member_id = of_member ORDER BY o.id DESC LOOP
    EXIT WHEN total >= enough OR deed.created_at < since - interval '1 minute';
    CONTINUE WHEN deed.id = besides OR deed.created_at < since OR deed.at < begun
      OR deed.kind NOT IN ('spend', 'move_out', 'hold', 'serve', 'close', 'refund_recharge')
      OR (deed.kind = 'move_out' AND NOT deed.request ? 'transfer');
    IF deed.kind = 'hold' THEN
      total := total + coalesce((SELECT h.amount_minor FROM members_hold h WHERE h.operation_id = deed.id
                                 AND h.status = 'open' AND h.id IS DISTINCT FROM besides_hold), 0);
    ELSIF deed.kind IN ('close', 'refund_recharge') THEN
      total := total + (SELECT coalesce(-sum(t.amount_minor), 0) FROM members_tender t WHERE t.operation_id = deed.id);
    ELSE
      total := total + (SELECT coalesce(-sum(e.amount), 0) FROM members_entry e WHERE e.operation_id = deed.id
                        AND e.account_kind IN ('principal', 'bonus', 'points_tender', 'deferred'));
    END IF;
  END LOOP;
  RETURN total;
END $$;
