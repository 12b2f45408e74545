-- What keeps an account's chain and a lot's origin. How a deed opens: open.sql; what it writes: write.sql; its guards:
-- posting.sql.

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
