-- The key under which an opt-out (alone) and a claim (together with other claims) lock a phone. Phones share 256 keys:
-- a claim of a thousand takes 256 locks instead of a thousand, and an opt-out in writing makes four of them wait.
CREATE OR REPLACE FUNCTION sms_phone_key(phone_hash bytea)
RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
  SELECT 7172709 * 256::bigint + get_byte(phone_hash, 0)
$$;

-- Each attempt is written twice and each part twice, no indexed column the second time: room on the page keeps the
-- second version beside the first, and the indexes untouched.
ALTER TABLE messaging_attempt SET (fillfactor = 45);
ALTER TABLE messaging_submittedpart SET (fillfactor = 45);
