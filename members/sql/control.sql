-- What binds an approval to one deed, whoever writes to the table.

CREATE OR REPLACE FUNCTION approval_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN RAISE EXCEPTION 'an approval stays'; END IF;
  IF TG_OP = 'INSERT' THEN
    IF NEW.status <> 'pending' THEN RAISE EXCEPTION 'an approval begins by being asked for'; END IF;
    NEW.payload_hash := control_hash(NEW.payload);
    RETURN NEW;
  END IF;
  IF (NEW.public_id, NEW.deed, NEW.payload, NEW.payload_hash, NEW.amount, NEW.store_id, NEW.member_id, NEW.note,
      NEW.maker_id, NEW.asked_at, NEW.expires_at, NEW.created_at)
     IS DISTINCT FROM
     (OLD.public_id, OLD.deed, OLD.payload, OLD.payload_hash, OLD.amount, OLD.store_id, OLD.member_id, OLD.note,
      OLD.maker_id, OLD.asked_at, OLD.expires_at, OLD.created_at) THEN
    RAISE EXCEPTION 'what was asked stays as it was asked';
  END IF;
  IF NOT (OLD.status = 'pending' AND NEW.status IN ('approved', 'refused')
          OR OLD.status = 'approved' AND NEW.status = 'used'
             AND (NEW.checker_id, NEW.decided_at) IS NOT DISTINCT FROM (OLD.checker_id, OLD.decided_at)) THEN
    RAISE EXCEPTION 'an approval is decided once and used once';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER approval_guard BEFORE INSERT OR UPDATE OR DELETE ON members_approval
FOR EACH ROW EXECUTE FUNCTION approval_guard();
