-- When a marketing text may next leave in a recipient's day: now if the hour is permitted (the last leaves 15
-- minutes before the end), else the next opening. Shared by the outbox and by the claim before the wire.
CREATE OR REPLACE FUNCTION sms_next_opening(moment timestamptz, zone text, opens time, closes time)
RETURNS timestamptz LANGUAGE sql STABLE AS $$
  SELECT CASE
    WHEN (moment AT TIME ZONE zone)::time < opens
      THEN ((moment AT TIME ZONE zone)::date + opens) AT TIME ZONE zone
    WHEN (moment AT TIME ZONE zone)::time >= closes - interval '15 minutes'
      THEN ((moment AT TIME ZONE zone)::date + 1 + opens) AT TIME ZONE zone
    ELSE moment
  END
$$;
