-- L14, whoever writes: the definition counts its coupons and its uses, and refuses more than it may give.

CREATE TRIGGER coupon_count_issued AFTER INSERT ON members_coupon
REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION coupon_count_issued();

-- A coupon keeps its code, its owner and its origin; one made void before it was used gives its place back.
CREATE OR REPLACE FUNCTION coupon_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN RAISE EXCEPTION 'a coupon stays'; END IF;
  IF (NEW.code, NEW.definition_id, NEW.scope, NEW.key, NEW.issued_at)
     IS DISTINCT FROM (OLD.code, OLD.definition_id, OLD.scope, OLD.key, OLD.issued_at)
     OR NEW.round < OLD.round THEN
    RAISE EXCEPTION 'a coupon keeps its origin';
  END IF;
  IF NEW.state <> OLD.state AND OLD.state = 'void' THEN RAISE EXCEPTION 'a void coupon stays void'; END IF;
  IF NEW.state = 'void' AND OLD.state <> 'void' AND NEW.round = 0 THEN
    UPDATE members_coupondefinition SET issued = issued - 1 WHERE id = NEW.definition_id;
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER coupon_guard BEFORE UPDATE OR DELETE ON members_coupon
FOR EACH ROW EXECUTE FUNCTION coupon_guard();

-- A use counts against the budget at once, in its own transaction; a use taken back gives the budget its money.
CREATE OR REPLACE FUNCTION coupon_count_use() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE members_coupondefinition d
  SET used = d.used + CASE NEW.kind WHEN 'used' THEN 1 ELSE -1 END, taken_minor = d.taken_minor + NEW.amount_minor
  FROM members_coupon c WHERE c.id = NEW.coupon_id AND d.id = c.definition_id;
  RETURN NULL;
END $$;
CREATE TRIGGER coupon_count_use AFTER INSERT ON members_couponuse
FOR EACH ROW EXECUTE FUNCTION coupon_count_use();

-- Judged at commit, whichever of the two was touched: used means one use that was not taken back; a use belongs to
-- the coupon's own member; what was taken back is exactly what was taken off.
CREATE OR REPLACE FUNCTION coupon_check(checked bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (
       SELECT 1 FROM members_coupon c
       LEFT JOIN LATERAL (
         SELECT count(*) FILTER (WHERE u.kind = 'used') AS used,
                count(*) FILTER (WHERE u.kind = 'returned') AS returned,
                coalesce(max(u.round), 0) AS last_round
         FROM members_couponuse u WHERE u.coupon_id = c.id) u ON true
       WHERE c.id = checked
         AND (u.used <> c.round OR u.last_round > c.round
              OR u.used - u.returned <> CASE c.state WHEN 'redeemed' THEN 1 ELSE 0 END))
     OR EXISTS (
       SELECT 1 FROM members_couponuse r
       WHERE r.coupon_id = checked AND r.kind = 'returned' AND NOT EXISTS (
         SELECT 1 FROM members_couponuse u
         WHERE u.coupon_id = r.coupon_id AND u.round = r.round AND u.kind = 'used'
           AND u.amount_minor = -r.amount_minor)) THEN
    RAISE EXCEPTION 'coupon % does not agree with its uses', checked
      USING ERRCODE = 'check_violation', CONSTRAINT = 'coupon_agrees';
  END IF;
END $$;
CREATE OR REPLACE FUNCTION coupon_agrees() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM coupon_check(NEW.id);
  RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION coupon_use_agrees() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM coupon_check(NEW.coupon_id);
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER coupon_agrees AFTER UPDATE ON members_coupon
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION coupon_agrees();
CREATE CONSTRAINT TRIGGER coupon_use_agrees AFTER INSERT ON members_couponuse
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION coupon_use_agrees();
