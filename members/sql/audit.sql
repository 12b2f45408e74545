-- The audit log's chain: numbered without gaps, each hash over the one before and the whole row, whoever writes.

CREATE OR REPLACE FUNCTION audit_link(before_hash bytea, entry members_auditentry)
RETURNS bytea LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT sha256(coalesce(before_hash, ''::bytea) || convert_to(jsonb_build_array(
    entry.seq, extract(epoch FROM entry.at)::text, entry.staff_id, entry.scope, entry.store_id, entry.verb,
    entry.subject_type, entry.subject_id, entry.subject, entry.before, entry.after, entry.address,
    entry.request_id, extract(epoch FROM entry.written_at)::text)::text, 'UTF8'))
$$;

-- One writer at a time: the lock is held to the end of the transaction, so write the log last.
CREATE OR REPLACE FUNCTION audit_chain() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  last_seq bigint;
  last_hash bytea;
BEGIN
  PERFORM pg_advisory_xact_lock(7308334);
  SELECT seq, hash INTO last_seq, last_hash FROM members_auditentry ORDER BY seq DESC LIMIT 1;
  NEW.seq := coalesce(last_seq, 0) + 1;
  NEW.written_at := clock_timestamp();
  NEW.hash := audit_link(last_hash, NEW);
  RETURN NEW;
END $$;
CREATE TRIGGER audit_chain BEFORE INSERT ON members_auditentry
FOR EACH ROW EXECUTE FUNCTION audit_chain();
