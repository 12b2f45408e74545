SET LOCAL check_function_bodies = off;  -- earlier migrations run this before all it names is there

-- How long the longest beginning of the region is that this number has; NULL when it has none. A function of its own: only
-- routes of a region pay for it.
CREATE OR REPLACE FUNCTION sms_region_fits(in_region bigint, in_phone text) RETURNS int LANGUAGE sql STABLE AS $$
  SELECT max(length(b)) FROM messaging_region e, unnest(e.beginnings) b
  WHERE e.id = in_region AND starts_with(in_phone, b)
$$;

-- Which way a text goes. Routes are read from the top (position); in the same place the one with the longest beginning of
-- this number goes first, then a store's own, then one for certain classes, then the older: `place` says it in one number,
-- the older by `route_id`. A text may go by each that fits its class, its number (by its beginning, or by one of its
-- region's) and its store, if the gateway can carry it. Of these the first whose gateway is connected is its way; one that
-- was lost (or added) less than a minute ago still counts as connected, except for a code. A gateway that has said no to
-- this text for reasons of its own (refused account, throttled again and again, no answer) comes after those that have not.
-- With none connected the first one keeps it: it waits there and is moved by sweep_routes.sql.
DROP FUNCTION IF EXISTS sms_ways(text, text, bigint, bigint, text, int, bigint, timestamptz);
CREATE FUNCTION sms_ways(
  in_class text, in_phone text, in_store bigint, in_version bigint, in_encoding text, in_parts int, in_message bigint,
  in_at timestamptz
) RETURNS TABLE (route_id bigint, gateway_id bigint, is_able boolean, is_up boolean, is_spent boolean, place bigint)
LANGUAGE sql STABLE AS $$
  SELECT r.id, g.id,
    g.is_active
      AND (g.classes = '{}' OR in_class = ANY(g.classes))
      AND (g.has_unicode OR in_encoding <> 'UCS-2')
      AND (g.has_long_texts OR in_parts <= 1)
      AND (NOT g.needs_template OR EXISTS (
        SELECT 1 FROM messaging_providertemplate t
        WHERE t.gateway_id = g.id AND t.status = 'approved' AND t.version_id IS NOT DISTINCT FROM in_version)),
    coalesce(
      CASE WHEN g.bind_state = 'bound' THEN g.lease_until ELSE g.state_since END
        > in_at - CASE WHEN in_class = 'verification' THEN interval '0' ELSE interval '60 seconds' END, false),
    in_message IS NOT NULL AND (
      SELECT count(*) FILTER (WHERE a.outcome IN ('stop_bind', 'uncertain')) > 0
          OR count(*) FILTER (WHERE a.outcome IN ('throttle', 'retry', 'not_sent')) >= 3
      FROM messaging_attempt a WHERE a.message_id = in_message AND a.gateway_id = g.id),
    (r.position::bigint << 8) + ((63 - fits.octets) << 2) + ((r.store_id IS NULL)::int << 1) + (r.classes = '{}')::int
  FROM messaging_route r JOIN messaging_gateway g ON g.id = r.gateway_id
  CROSS JOIN LATERAL (
    SELECT CASE
      WHEN r.region_id IS NOT NULL THEN sms_region_fits(r.region_id, in_phone)
      WHEN starts_with(in_phone, r.prefix) THEN length(r.prefix) END AS octets
  ) fits
  WHERE r.is_active
    AND (r.classes = '{}' OR in_class = ANY(r.classes))
    AND fits.octets IS NOT NULL
    AND (r.store_id IS NULL OR r.store_id = in_store)
$$;

-- The way of one text now; NULL when no route leads to it.
CREATE OR REPLACE FUNCTION sms_way(m messaging_message, in_at timestamptz) RETURNS bigint LANGUAGE sql STABLE AS $$
  SELECT w.gateway_id
  FROM sms_ways(m.message_class, m.phone, m.store_id, m.template_version_id, m.encoding, m.parts, m.id, in_at) w
  WHERE w.is_able
  ORDER BY w.is_up DESC, w.is_spent, w.place, w.route_id
  LIMIT 1
$$;

-- Every text that comes to the queue without a gateway is given its way: a new one, one that came back, one that a
-- person let go. A new one without any is not sent, and says so.
CREATE OR REPLACE FUNCTION sms_give_way() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  way bigint;
BEGIN
  IF NOT EXISTS (SELECT 1 FROM messaging_route WHERE is_active) THEN
    RETURN NEW;
  END IF;
  way := sms_way(NEW, clock_timestamp());
  IF way IS NULL AND TG_OP = 'UPDATE' THEN
    way := OLD.gateway_id;
  END IF;
  IF way IS NOT NULL THEN
    NEW.gateway_id := way;
  ELSIF TG_OP = 'INSERT' OR OLD.state IN ('held', 'queued', 'retry_wait') THEN
    NEW.state := 'suppressed';
    IF TG_OP = 'INSERT' THEN NEW.reserved_milli := 0; END IF;  -- nothing has been put aside for it yet
    NEW.reason := 'no_route';
    NEW.final_at := clock_timestamp();
  END IF;
  RETURN NEW;
END $$;

-- Before the guard of moves, by its name.
CREATE OR REPLACE TRIGGER message_gets_way BEFORE INSERT OR UPDATE OF state, gateway_id ON messaging_message
  FOR EACH ROW WHEN (NEW.state = 'queued' AND NEW.gateway_id IS NULL AND NEW.cause <> 'test')
  EXECUTE FUNCTION sms_give_way();
