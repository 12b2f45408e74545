-- What forbids a deed before anything is locked: asked by ledger_open once the key is claimed.
-- Answers null, or {"refused": code, ...facts} which members/domain/ledger.py turns into a refusal in plain words.
CREATE OR REPLACE FUNCTION ledger_guard(deed jsonb, operation_id bigint)
RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
BEGIN
  -- nobody deals with their own account, nor with one on their own phone
  IF deed->>'staff' IS NOT NULL AND EXISTS (
       SELECT 1 FROM members_staff s JOIN members_member m ON m.id = (deed->>'member')::bigint
       WHERE s.id = (deed->>'staff')::bigint AND (s.member_id = m.id OR s.phone_hash = m.phone_hash)) THEN
    RETURN '{"refused": "own_account"}';
  END IF;
  RETURN NULL;
END $$;
