-- The till's day: cash finds its shift, and a signed day takes no more deeds.

-- The open shift of a person at a store on the business day of `at`, opened when there is none. It is held FOR SHARE
-- until the deed commits: closing it waits, so that no cash lands in a shift that has been counted.
CREATE OR REPLACE FUNCTION till_shift(of_store bigint, of_staff bigint, deed_at timestamptz)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  business_day date;
  found bigint;
BEGIN
  SELECT (deed_at AT TIME ZONE timezone)::date INTO business_day FROM members_store WHERE id = of_store;
  LOOP
    SELECT id INTO found FROM members_shift
    WHERE store_id = of_store AND staff_id IS NOT DISTINCT FROM of_staff AND "on" = business_day AND closed_at IS NULL
    FOR SHARE;
    IF found IS NOT NULL THEN RETURN found; END IF;
    INSERT INTO members_shift (public_id, store_id, staff_id, "on", opened_at, note)
    VALUES (gen_random_uuid(), of_store, of_staff, business_day, deed_at, '')
    ON CONFLICT DO NOTHING;
  END LOOP;
END $$;

-- One lock a store and business day: shared by its deeds, taken alone by whoever signs or reopens it.
CREATE OR REPLACE FUNCTION day_lock_key(of_store bigint, business_day date) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT hashint8extended(of_store * 1000000 + (business_day - date '2000-01-01'), 7001)
$$;

-- A signed day takes no more deeds. AFTER, so that a key already used still gives its first answer.
CREATE OR REPLACE FUNCTION day_takes_deed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  business_day date;
BEGIN
  SELECT (NEW.at AT TIME ZONE timezone)::date INTO business_day FROM members_store WHERE id = NEW.store_id;
  PERFORM pg_advisory_xact_lock_shared(day_lock_key(NEW.store_id, business_day));
  IF EXISTS (SELECT 1 FROM members_dayclose
             WHERE store_id = NEW.store_id AND "on" = business_day AND reopened_at IS NULL) THEN
    RAISE EXCEPTION 'the business day % of store % is closed', business_day, NEW.store_id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'period_closed', DETAIL = business_day::text;
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER operation_in_open_day AFTER INSERT ON members_operation
FOR EACH ROW EXECUTE FUNCTION day_takes_deed();

-- Nor a new shift.
CREATE OR REPLACE FUNCTION day_takes_shift() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock_shared(day_lock_key(NEW.store_id, NEW."on"));
  IF EXISTS (SELECT 1 FROM members_dayclose
             WHERE store_id = NEW.store_id AND "on" = NEW."on" AND reopened_at IS NULL) THEN
    RAISE EXCEPTION 'the business day % of store % is closed', NEW."on", NEW.store_id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'period_closed', DETAIL = NEW."on"::text;
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER shift_in_open_day AFTER INSERT ON members_shift
FOR EACH ROW EXECUTE FUNCTION day_takes_shift();

-- Cash lies in an open shift of the deed's own store: nothing is slipped into a drawer that has been counted.
CREATE OR REPLACE FUNCTION shift_takes_cash() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM members_shift s JOIN members_operation o ON o.id = NEW.operation_id
                 WHERE s.id = NEW.shift_id AND s.closed_at IS NULL AND s.store_id = o.store_id) THEN
    RAISE EXCEPTION 'shift % is closed or of another store', NEW.shift_id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'shift_closed';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER tender_in_open_shift BEFORE INSERT ON members_tender
FOR EACH ROW WHEN (NEW.shift_id IS NOT NULL) EXECUTE FUNCTION shift_takes_cash();
