-- Which lots of a card pay how much of a plain bill: what members/domain/lot_terms.py and allocation.py work out for a
-- bill without lines, under the locks of the deed. tests/members/test_express.py compares the two.

DROP FUNCTION IF EXISTS ledger_take(bigint, bigint, bigint, timestamptz, text, bigint);

-- How much of a lot pays a plain bill of `bill` at a store, by its terms: at these stores only, a share of the bill at
-- most (together with what other such lots pay already), never the goods a plain bill does not name.
CREATE OR REPLACE FUNCTION ledger_limit(terms jsonb, free bigint, at_store bigint, bill bigint, shared bigint)
RETURNS bigint LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
  most bigint := least(free, bill);
BEGIN
  IF terms ? 'categories' OR terms ? 'stores' AND NOT terms->'stores' @> to_jsonb(at_store) THEN RETURN 0; END IF;
  IF terms ? 'share_max_percent' THEN
    most := least(most, bill * (terms->>'share_max_percent')::bigint / 100 - shared);
  END IF;
  RETURN greatest(most, 0);
END $$;

-- The lots that pay up to `wanted` of a bill, in the card product's order, and who sold them. Value of another store pays
-- as the acceptance says, `takes_others` where the pair of stores has no word of its own. Value for some goods is for
-- the general road where the bill `names_goods`. Locked by their accounts.
CREATE FUNCTION ledger_take(
  principal bigint, bonus bigint, at_store bigint, deed_at timestamptz, spend_order text, bill bigint, wanted bigint,
  takes_others boolean, names_goods boolean,
  OUT lots bigint[], OUT amounts bigint[], OUT of_bonus boolean[], OUT sold_at bigint[],
  OUT taken bigint
) LANGUAGE plpgsql STABLE AS $$
DECLARE
  lot record;
  found_lots int := 0;
  ids bigint[] := '{}'; kinds boolean[] := '{}'; frees bigint[] := '{}'; usables bigint[] := '{}';
  issuers bigint[] := '{}'; groups bigint[] := '{}'; first_of bigint[] := '{}';
  usable bigint;
  shared bigint := 0;
  group_of bigint;
  free_bonus bigint; free_all bigint; usable_bonus bigint; usable_own bigint;
  part bigint;
  from_bonus bigint;
  kind boolean;
  left_over bigint;
BEGIN
  lots := '{}'; amounts := '{}'; of_bonus := '{}'; sold_at := '{}'; taken := 0;
  IF wanted <= 0 THEN RETURN; END IF;
  FOR lot IN
    SELECT l.id, l.account_id = bonus AS is_bonus, l.source_id, l.remaining - l.held AS free, l.terms, s.store_id,
           s.store_id = at_store
             OR coalesce(CASE WHEN l.account_id = bonus THEN h.takes_bonus ELSE h.takes_principal END, takes_others)
             AS is_honoured
    FROM members_lot l
    JOIN members_operation s ON s.id = l.source_id
    LEFT JOIN members_storeacceptance h ON h.issuer_id = s.store_id AND h.server_id = at_store
    WHERE l.account_id IN (principal, bonus) AND l.remaining > 0 AND l.remaining > l.held
      AND (l.expires_at IS NULL OR l.expires_at > deed_at) AND (l.active_from IS NULL OR l.active_from <= deed_at)
    ORDER BY l.expires_at NULLS LAST, l.id
  LOOP
    usable := CASE WHEN NOT lot.is_honoured THEN 0 WHEN lot.terms IS NULL THEN lot.free
                   ELSE ledger_limit(lot.terms, lot.free, at_store, bill, shared) END;
    IF names_goods AND lot.terms ? 'categories' THEN PERFORM ledger_general('value for some goods'); END IF;
    IF lot.terms ? 'share_max_percent' THEN shared := shared + usable; END IF;
    -- pro rata goes by what was sold together, in the order its first lots come; else by kind, the first kind first
    group_of := CASE WHEN spend_order = 'pro_rata' THEN lot.source_id
                     WHEN (spend_order = 'bonus_first') = lot.is_bonus THEN 0 ELSE 1 END;
    IF NOT group_of = ANY(first_of) THEN first_of := first_of || group_of; END IF;
    ids := ids || lot.id; kinds := kinds || lot.is_bonus; frees := frees || lot.free; usables := usables || usable;
    issuers := issuers || lot.store_id; groups := groups || group_of;
    found_lots := found_lots + 1;
  END LOOP;
  IF spend_order <> 'pro_rata' THEN first_of := '{0,1}'; END IF;

  FOREACH group_of IN ARRAY first_of LOOP
    EXIT WHEN taken >= wanted;
    free_bonus := 0; free_all := 0; usable_bonus := 0; usable_own := 0;
    FOR i IN 1 .. found_lots LOOP
      CONTINUE WHEN groups[i] <> group_of;
      free_all := free_all + frees[i];
      IF kinds[i] THEN
        free_bonus := free_bonus + frees[i]; usable_bonus := usable_bonus + usables[i];
      ELSE
        usable_own := usable_own + usables[i];
      END IF;
    END LOOP;
    part := least(wanted - taken, usable_bonus + usable_own);
    CONTINUE WHEN part <= 0;
    from_bonus := (2 * part * free_bonus + free_all) / (2 * free_all);  -- half up, as allocation.share
    from_bonus := greatest(least(from_bonus, usable_bonus), part - usable_own);
    FOREACH kind IN ARRAY '{true,false}'::boolean[] LOOP
      left_over := CASE WHEN kind THEN from_bonus ELSE part - from_bonus END;
      FOR i IN 1 .. found_lots LOOP
        EXIT WHEN left_over <= 0;
        CONTINUE WHEN groups[i] <> group_of OR kinds[i] <> kind OR usables[i] <= 0;
        lots := lots || ids[i]; amounts := amounts || -least(left_over, usables[i]);
        of_bonus := of_bonus || kind; sold_at := sold_at || issuers[i];
        left_over := left_over - least(left_over, usables[i]);
      END LOOP;
    END LOOP;
    taken := taken + part;
  END LOOP;
END $$;
