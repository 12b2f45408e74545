-- A stopped run sends nothing more: a text of it that comes back to wait (throttled, not written, let go by a person) is
-- cancelled in the same transaction. Its run is locked against the stop (campaigns/domain/runs.py), and against nothing
-- else: whichever of the two is second sees the first.
CREATE OR REPLACE FUNCTION run_text_returned() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  stands text;
BEGIN
  SELECT status INTO stands FROM campaigns_run WHERE id = NEW.cause_id FOR KEY SHARE;
  IF stands = 'stopped' THEN
    UPDATE messaging_message SET state = 'cancelled', reason = 'stopped', final_at = clock_timestamp()
    WHERE id = NEW.id AND state = NEW.state;
  END IF;
  RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER message_of_stopped_run AFTER UPDATE OF state, gateway_id, due_at ON messaging_message
  FOR EACH ROW WHEN (NEW.cause = 'run' AND NEW.state IN ('held', 'queued', 'retry_wait'))
  EXECUTE FUNCTION run_text_returned();
