-- A lot use is of an entry and a lot there are, both of one account. Each is looked up by itself: joined by the account,
-- the planner may read all that an account ever had.
CREATE OR REPLACE FUNCTION lot_uses_fit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM fresh f
             WHERE NOT coalesce((SELECT e.account_id FROM members_entry e WHERE e.id = f.entry_id)
                                = (SELECT l.account_id FROM members_lot l WHERE l.id = f.lot_id), false)) THEN
    RAISE EXCEPTION 'a lot is used by an entry of another account'
      USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'lot_use_fits';
  END IF;
  RETURN NULL;
END $$;
