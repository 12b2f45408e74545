-- The stamp of what the house has set: earning rules, tiers and run-time settings. Moved in the same commit by whatever
-- changes one of them; ledger_open answers it with every deed, so that a process may keep what it has read
-- (members/domain/housebook.py). Random, so that neither a rollback nor a copied database brings one back.
CREATE TABLE members_housebook (
  is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
  stamp uuid NOT NULL
);

CREATE FUNCTION housebook_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO members_housebook (stamp) VALUES (gen_random_uuid())
  ON CONFLICT (is_only) DO UPDATE SET stamp = EXCLUDED.stamp;
  RETURN NULL;
END $$;

CREATE TRIGGER housebook_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON members_earningrule
  FOR EACH STATEMENT EXECUTE FUNCTION housebook_changed();
CREATE TRIGGER housebook_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON members_tierscheme
  FOR EACH STATEMENT EXECUTE FUNCTION housebook_changed();
CREATE TRIGGER housebook_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON members_tier
  FOR EACH STATEMENT EXECUTE FUNCTION housebook_changed();
CREATE TRIGGER housebook_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON constance_constance
  FOR EACH STATEMENT EXECUTE FUNCTION housebook_changed();
