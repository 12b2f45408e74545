-- Whoever brings a message to wait (for its moment, a sweep or a person), its id is written down where these look: a whole statement's
-- new messages in chunks that are alike, a moved one by itself. Whatever left a waiting state is dropped when met.
CREATE OR REPLACE FUNCTION sms_wait_together() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (SELECT count(*) FROM fresh) = 1 THEN  -- the text of a deed: nothing to sort
    INSERT INTO messaging_waiting (state, priority, gateway_id, due_at, expires_at, ids, taken)
    SELECT state, priority, gateway_id, due_at, expires_at, ARRAY[id], 0
    FROM fresh WHERE state IN ('held', 'queued', 'retry_wait', 'uncertain', 'quarantined', 'unknown', 'no_receipt');
    RETURN NULL;
  END IF;
  INSERT INTO messaging_waiting (state, priority, gateway_id, due_at, expires_at, ids, taken)
  SELECT state, priority, gateway_id, due_at, expires_at, array_agg(id ORDER BY id), 0
  FROM (
    SELECT f.*, (row_number() OVER (PARTITION BY state, priority, gateway_id, due_at, expires_at ORDER BY id) - 1) / 1000
                AS chunk
    FROM fresh f
    WHERE f.state IN ('held', 'queued', 'retry_wait', 'uncertain', 'quarantined', 'unknown', 'no_receipt')
  ) alike
  GROUP BY state, priority, gateway_id, due_at, expires_at, chunk
  ORDER BY min(id);
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION sms_wait_alone() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO messaging_waiting (state, priority, gateway_id, due_at, expires_at, ids, taken)
  VALUES (NEW.state, NEW.priority, NEW.gateway_id,
          CASE WHEN NEW.state <> 'uncertain' THEN NEW.due_at
               WHEN NEW.message_class = 'marketing' OR NEW.cause = 'reply'
                 THEN coalesce(NEW.submitted_at, now()) + interval '72 hours'
               ELSE coalesce(NEW.submitted_at, now()) + interval '5 seconds' END,
          NEW.expires_at, ARRAY[NEW.id], 0);
  RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER message_waits_new AFTER INSERT ON messaging_message
  REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION sms_wait_together();
CREATE OR REPLACE TRIGGER message_waits_again AFTER UPDATE OF state, due_at, expires_at, gateway_id ON messaging_message
  FOR EACH ROW WHEN (
    NEW.state IN ('held', 'queued', 'retry_wait', 'uncertain', 'quarantined', 'unknown', 'no_receipt')
    AND (OLD.state, OLD.due_at, OLD.expires_at, OLD.gateway_id)
        IS DISTINCT FROM (NEW.state, NEW.due_at, NEW.expires_at, NEW.gateway_id)
  ) EXECUTE FUNCTION sms_wait_alone();

-- What nobody knew about and a late receipt settled, or a person let go, is not left for a person to look at.
CREATE OR REPLACE FUNCTION sms_wait_no_more() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM messaging_waiting
  WHERE state IN ('unknown', 'no_receipt', 'quarantined') AND state = OLD.state AND due_at = OLD.due_at
    AND ids = ARRAY[OLD.id];
  RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER message_waits_no_more AFTER UPDATE OF state ON messaging_message
  FOR EACH ROW WHEN (OLD.state IN ('unknown', 'no_receipt', 'quarantined') AND NEW.state <> OLD.state)
  EXECUTE FUNCTION sms_wait_no_more();

-- Takes up to so many ids that are due, the most urgent first, passing over chunks another process is at. Its statements
-- see what was committed before each of them: an id is never taken before its message can be read. For marketing the
-- phone is locked too (shared), which an opt-out locks alone: none can commit between the reading of the rules
-- (claim_gate.sql) and the commit of the attempt. The message's own row is locked as well (a code's is not), so that the
-- gate sees which texts to a number another claim is at. Where an opt-out or another is at work right now, the message waits a moment
-- more. `looked_at` below `in_limit` means that nothing else was
-- due. A dead epoch takes nothing.
CREATE OR REPLACE FUNCTION sms_take(
  in_gateway bigint, in_epoch bigint, in_priorities smallint[], in_limit int, in_at timestamptz,
  OUT ids bigint[], OUT looked_at int
) LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
  open smallint[] := sms_open_priorities(in_gateway, in_priorities);  -- what is paused stays
  due CURSOR FOR
    SELECT w.ids, w.taken, cardinality(w.ids) - w.taken AS holds FROM messaging_waiting w
    WHERE w.state = 'queued' AND w.priority = ANY(open) AND w.due_at <= in_at
      AND (w.gateway_id IS NULL OR w.gateway_id = in_gateway)
    ORDER BY w.priority, w.due_at, w.id
    FOR UPDATE SKIP LOCKED;
  count int;
BEGIN
  ids := '{}';
  looked_at := 0;
  PERFORM FROM messaging_gateway WHERE id = in_gateway AND lease_epoch = in_epoch FOR SHARE;
  IF NOT FOUND THEN
    RETURN;
  END IF;
  FOR _turn IN 1..2 LOOP
    FOR chunk IN due LOOP
      count := least(chunk.holds, in_limit - looked_at);
      ids := ids || chunk.ids[chunk.taken + 1 : chunk.taken + count];
      looked_at := looked_at + count;
      IF count < chunk.holds THEN
        UPDATE messaging_waiting SET taken = taken + count WHERE CURRENT OF due;
      ELSE
        DELETE FROM messaging_waiting WHERE CURRENT OF due;
      END IF;
      EXIT WHEN looked_at >= in_limit;
    END LOOP;
    EXIT WHEN looked_at > 0;
    -- Nothing, or only what another is at just now: then stand in line for the rest of it, and look once more. Who
    -- passed it over and went to rest would leave a whole chunk to the other.
    PERFORM FROM messaging_waiting w
    WHERE w.state = 'queued' AND w.priority = ANY(open) AND w.due_at <= in_at
      AND (w.gateway_id IS NULL OR w.gateway_id = in_gateway)
    ORDER BY w.priority, w.due_at, w.id LIMIT 1
    FOR UPDATE;
    EXIT WHEN NOT FOUND;
  END LOOP;
  IF ids = '{}' THEN
    RETURN;
  END IF;

  WITH candidate AS MATERIALIZED (
    SELECT m.id, m.priority, m.expires_at, m.gateway_id, m.message_class <> 'verification' AS is_held,
           CASE WHEN m.message_class = 'marketing' THEN sms_phone_key(m.phone_hash) END AS key
    FROM unnest(ids) AS t (id)
    CROSS JOIN LATERAL (
      SELECT * FROM messaging_message m WHERE m.id = t.id AND m.state = 'queued' OFFSET 0
    ) m
  ), lockable AS MATERIALIZED (
    SELECT DISTINCT key FROM candidate WHERE key IS NOT NULL
  ), locked AS MATERIALIZED (
    SELECT key FROM lockable WHERE pg_try_advisory_xact_lock_shared(key)
  ), held AS MATERIALIZED (
    SELECT m.id FROM candidate c CROSS JOIN LATERAL (
      SELECT m.id FROM messaging_message m WHERE m.id = c.id AND m.state = 'queued' FOR NO KEY UPDATE SKIP LOCKED
    ) m
    WHERE c.is_held AND (c.key IS NULL OR c.key IN (SELECT key FROM locked))
  ), free AS MATERIALIZED (
    SELECT id, priority, expires_at, gateway_id, NOT is_held OR id IN (SELECT id FROM held) AS may_go FROM candidate
  ), later AS (
    INSERT INTO messaging_waiting (state, priority, gateway_id, due_at, expires_at, ids, taken)
    SELECT 'queued', priority, gateway_id, in_at + interval '0.2 seconds', expires_at, array_agg(id), 0
    FROM free WHERE NOT may_go GROUP BY priority, gateway_id, expires_at
  )
  SELECT coalesce(array_agg(id) FILTER (WHERE may_go), '{}') INTO ids FROM free;
END $$;

-- What a message leaves behind goes with it (its try and its parts have no foreign key: see messaging/models/message.py).
CREATE OR REPLACE FUNCTION sms_forget_tries() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM messaging_attempt WHERE message_id = OLD.id;
  DELETE FROM messaging_submittedpart WHERE message_id = OLD.id;
  RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER message_forgets_tries AFTER DELETE ON messaging_message
  FOR EACH ROW EXECUTE FUNCTION sms_forget_tries();

-- A message is written four times on its way to the phone, an attempt and a part twice, no indexed column after the
-- first: room on the page keeps the later versions beside the first, and the indexes untouched.
ALTER TABLE messaging_message SET (fillfactor = 50);
ALTER TABLE messaging_waiting SET (fillfactor = 70);
