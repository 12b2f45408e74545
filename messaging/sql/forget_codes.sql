-- Texts that carried a code lose it once they are settled or the code is over; what a phone was told stays with the
-- phone. Safe to run twice and beside other runs.
WITH over AS MATERIALIZED (
  SELECT c.id FROM messaging_verificationcode c
  WHERE c.is_text_kept
    AND (c.expires_at <= %(at)s
         OR EXISTS (SELECT 1 FROM messaging_message m
                    WHERE m.cause = 'code' AND m.cause_id = c.id AND m.final_at IS NOT NULL))
  LIMIT %(limit)s
  FOR NO KEY UPDATE OF c SKIP LOCKED
), noted AS (
  UPDATE messaging_verificationcode c SET is_text_kept = false FROM over WHERE c.id = over.id
)
UPDATE messaging_message m SET text = %(blank)s
FROM over WHERE m.cause = 'code' AND m.cause_id = over.id AND m.message_class = 'verification'
