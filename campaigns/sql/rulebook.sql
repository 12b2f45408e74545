-- The stamp of the rules in force, moved in the same commit by whatever changes a rule, a wording or a shop's own event.
-- A process that keeps rules between deeds (campaigns/domain/rulebook.py) shows its stamp with every firing; a firing
-- under another stamp than this is refused. Random, so that neither a rollback nor a copied database brings one back.
CREATE TABLE campaigns_rulebook (
  is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
  stamp uuid NOT NULL
);

CREATE FUNCTION rulebook_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO campaigns_rulebook (stamp) VALUES (gen_random_uuid())
  ON CONFLICT (is_only) DO UPDATE SET stamp = EXCLUDED.stamp;
  RETURN NULL;
END $$;

CREATE TRIGGER rulebook_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON campaigns_triggerrule
  FOR EACH STATEMENT EXECUTE FUNCTION rulebook_changed();
CREATE TRIGGER rulebook_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON messaging_template
  FOR EACH STATEMENT EXECUTE FUNCTION rulebook_changed();
CREATE TRIGGER rulebook_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON messaging_templateversion
  FOR EACH STATEMENT EXECUTE FUNCTION rulebook_changed();
CREATE TRIGGER rulebook_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON members_customeventtype
  FOR EACH STATEMENT EXECUTE FUNCTION rulebook_changed();
