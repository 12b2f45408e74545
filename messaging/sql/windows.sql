-- When a marketing text may next leave in a recipient's day. The rule packs say between which hours a country allows
-- it and on which days not (messaging_sendingwindow, messaging_closedday: messaging/domain/rules.py); the house's hours
-- are narrowed into them, and hours that leave nothing count as not given. Shared by the outbox and by the claim before
-- the wire.
CREATE OR REPLACE FUNCTION sms_window(
  phone text, in_opens time, in_closes time,
  OUT region varchar, OUT opens time, OUT closes time, OUT last_at time, OUT closed_weekdays smallint[]
) LANGUAGE sql STABLE AS $$
  SELECT w.region,
    CASE WHEN f.is_open THEN greatest(in_opens, w.opens) ELSE w.opens END,
    CASE WHEN f.is_open THEN least(in_closes, w.closes) ELSE w.closes END,
    (CASE WHEN f.is_open THEN least(in_closes, w.closes) ELSE w.closes END) - w.cutoff_minutes * interval '1 minute',
    w.closed_weekdays::smallint[]
  FROM messaging_sendingwindow w
  CROSS JOIN LATERAL (SELECT greatest(in_opens, w.opens) < least(in_closes, w.closes) AS is_open) f
  WHERE w.calling_code IN (substr(phone, 2, 3), substr(phone, 2, 2), substr(phone, 2, 1), '')
  ORDER BY length(w.calling_code) DESC
  LIMIT 1
$$;

-- Whether a region is closed on a day. Weekday 0 only says that its closed days have to be looked up.
CREATE OR REPLACE FUNCTION sms_is_closed(in_region varchar, weekdays smallint[], in_day date)
RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
  IF weekdays = '{}' THEN
    RETURN false;
  END IF;
  RETURN extract(isodow FROM in_day)::smallint = ANY(weekdays)
    OR EXISTS (SELECT 1 FROM messaging_closedday c WHERE c.region = in_region AND c.day = in_day);
END $$;

-- `zones` may name several, parted by commas, when nobody knows in which the recipient is: it has to be permitted in
-- each of them. Gives the moment itself when it is, else the first that is; infinity when there is none in 40 days.
-- A local time that a clock change skips or repeats is read by the clock itself: the answer is always tried again.
CREATE OR REPLACE FUNCTION sms_next_opening(
  moment timestamptz, zones text, phone text, in_opens time, in_closes time
) RETURNS timestamptz LANGUAGE plpgsql STABLE AS $$
DECLARE
  rule record;
  first_at time;
  last_at time;
  here timestamp;
  zone text;
  tried timestamptz := moment;
  was timestamptz;
BEGIN
  -- the same answer as sms_window, asked here so that its plan is kept: a call costs a tenth of what the function costs
  SELECT w.region, w.opens, w.closes, w.cutoff_minutes, w.closed_weekdays INTO rule
  FROM messaging_sendingwindow w
  WHERE w.calling_code = ANY(ARRAY[substr(phone, 2, 3), substr(phone, 2, 2), substr(phone, 2, 1), ''])
  ORDER BY length(w.calling_code) DESC LIMIT 1;
  IF rule.opens IS NULL THEN
    RETURN 'infinity';  -- no packs: nothing is known to be permitted
  END IF;
  first_at := greatest(in_opens, rule.opens);
  last_at := least(in_closes, rule.closes);
  IF first_at >= last_at THEN
    first_at := rule.opens;
    last_at := rule.closes;
  END IF;
  last_at := last_at - rule.cutoff_minutes * interval '1 minute';
  IF rule.closed_weekdays = '{}' AND position(',' IN zones) = 0 THEN  -- nearly every text: no table, no loop
    here := moment AT TIME ZONE zones;
    IF here::time >= first_at AND here::time < last_at THEN
      RETURN moment;
    END IF;
  END IF;
  FOR _turn IN 1..500 LOOP
    was := tried;
    FOREACH zone IN ARRAY string_to_array(zones, ',') LOOP
      here := tried AT TIME ZONE zone;
      IF here::time >= last_at OR sms_is_closed(rule.region, rule.closed_weekdays, here::date) THEN
        tried := greatest((here::date + 1 + first_at) AT TIME ZONE zone, tried + interval '1 minute');
      ELSIF here::time < first_at THEN
        tried := greatest((here::date + first_at) AT TIME ZONE zone, tried + interval '1 second');
      END IF;
    END LOOP;
    EXIT WHEN tried = was OR tried > moment + interval '40 days';
  END LOOP;
  RETURN CASE WHEN tried = was THEN tried ELSE 'infinity' END;
END $$;

-- Until when a text that leaves now may still be delivered: the end of the window in every zone.
CREATE OR REPLACE FUNCTION sms_window_end(
  moment timestamptz, zones text, phone text, in_opens time, in_closes time
) RETURNS timestamptz LANGUAGE sql STABLE AS $$
  SELECT min(((moment AT TIME ZONE z.zone)::date + w.closes) AT TIME ZONE z.zone)
  FROM sms_window(phone, in_opens, in_closes) w, unnest(string_to_array(zones, ',')) AS z (zone)
$$;
