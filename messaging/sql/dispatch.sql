-- The key under which an opt-out (alone) and a claim (together with other claims) lock a phone.
CREATE OR REPLACE FUNCTION sms_phone_key(phone_hash bytea)
RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
  SELECT ('x' || encode(substr(phone_hash, 1, 8), 'hex'))::bit(64)::bigint
$$;

-- Each attempt is written twice and each part twice, no indexed column the second time: room on the page keeps the
-- second version beside the first, and the indexes untouched.
ALTER TABLE messaging_attempt SET (fillfactor = 60);
ALTER TABLE messaging_submittedpart SET (fillfactor = 70);
