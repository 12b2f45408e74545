-- Of these priorities, those whose class may leave by this gateway now: what is paused is left out. One priority is one
-- class (messaging/enums.py).
CREATE OR REPLACE FUNCTION sms_open_priorities(in_gateway bigint, in_priorities smallint[])
RETURNS smallint[] LANGUAGE sql STABLE AS $$
  SELECT coalesce(array_agg(p), '{}') FROM unnest(in_priorities) p
  WHERE NOT EXISTS (
    SELECT FROM messaging_pause s
    WHERE (s.gateway_id IS NULL OR s.gateway_id = in_gateway)
      AND (s.message_class = '' OR p = CASE s.message_class
             WHEN 'verification' THEN 0 WHEN 'trigger' THEN 1 WHEN 'notification' THEN 2 ELSE 9 END))
$$;
