-- The gate before the wire, in a statement (and so a snapshot) after the locks of claim_take.sql: every rule that may
-- have changed since the message was queued is asked again. What passes gets its attempt row and is `submitting`; the
-- caller commits before the first octet leaves. A dead epoch passes nothing. The order of the CASE is the order of the
-- gates; reasons are those of messaging/states.py. A message that is no longer queued, or not due, is left alone.
WITH clock AS MATERIALIZED (
  SELECT coalesce(%(at)s::timestamptz, clock_timestamp()) AS now
), lease AS MATERIALIZED (
  SELECT id, lease_epoch, needs_reports FROM messaging_gateway
  WHERE id = %(gateway)s::bigint AND lease_epoch = %(epoch)s::bigint
  FOR SHARE
), message AS MATERIALIZED (
  SELECT m.* FROM lease, clock, unnest(%(ids)s::bigint[]) AS t (id)
  CROSS JOIN LATERAL (
    SELECT m.id, m.member_id, m.store_id, m.template_version_id, m.phone, m.phone_hash, m.message_class, m.cause,
           m.timezone, m.expires_at, m.attempts, substr(m.phone, 1, 4) AS country
    FROM messaging_message m
    WHERE m.id = t.id AND m.state = 'queued' AND m.due_at <= clock.now
      AND (m.gateway_id IS NULL OR m.gateway_id = %(gateway)s::bigint)
    OFFSET 0
  ) m
), hours AS MATERIALIZED (  -- of each zone and calling code (three digits tell a country's rules), once
  SELECT timezone, country, sms_next_opening(clock.now, timezone, country, %(opens)s::time, %(closes)s::time) AS opens_at,
         sms_window_end(clock.now, timezone, country, %(opens)s::time, %(closes)s::time) AS closes_at
  FROM clock, (SELECT DISTINCT timezone, country FROM message WHERE message_class = 'marketing') zone
), judged AS MATERIALIZED (
  SELECT m.id,
    CASE
      WHEN m.expires_at <= clock.now THEN 'too_late'
      WHEN m.message_class = 'marketing' AND NOT coalesce(p.has_marketing_consent, false) THEN 'no_consent'
      WHEN m.cause IN ('rule', 'api') AND m.message_class IN ('notification', 'trigger')
           AND NOT coalesce(p.has_service_consent, true) THEN 'no_consent'
      WHEN (m.message_class = 'marketing' OR (m.message_class <> 'verification' AND m.cause <> 'reply'))
           AND EXISTS (SELECT 1 FROM messaging_suppression s
                       WHERE s.phone_hash = m.phone_hash AND s.lifted_at IS NULL
                         AND (s.scope = 'all' OR m.message_class = 'marketing')) THEN 'opted_out'
      WHEN t.opens_at > clock.now AND t.opens_at >= m.expires_at THEN 'too_late'
      WHEN t.opens_at > clock.now THEN 'quiet_hours'
      WHEN lease.needs_reports AND m.phone LIKE '+86%%'
           AND NOT sms_is_reported(m.template_version_id, m.store_id, lease.id) THEN 'unregistered'
      WHEN m.attempts >= 3 AND (SELECT count(*) FROM messaging_attempt a
                                WHERE a.message_id = m.id AND a.raw_status = 'process lost') >= 3 THEN 'poison'
      ELSE ''
    END AS verdict
  FROM message m
  CROSS JOIN clock
  CROSS JOIN lease
  LEFT JOIN hours t ON m.message_class = 'marketing' AND t.timezone = m.timezone AND t.country = m.country
  LEFT JOIN LATERAL (
    SELECT has_marketing_consent, has_service_consent FROM members_member p WHERE p.id = m.member_id OFFSET 0
  ) p ON true
), waiting AS (
  UPDATE messaging_message m SET due_at = t.opens_at, reason = 'quiet_hours'
  FROM hours t
  WHERE m.id = ANY(ARRAY(SELECT id FROM judged WHERE verdict = 'quiet_hours')) AND m.state = 'queued'
    AND t.timezone = m.timezone AND t.country = substr(m.phone, 1, 4)
), stopped AS (
  UPDATE messaging_message m
  SET (state, reason) = (
        SELECT CASE verdict WHEN 'too_late' THEN 'expired' WHEN 'poison' THEN 'quarantined' ELSE 'suppressed' END, verdict
        FROM judged WHERE id = m.id),
      final_at = (SELECT now FROM clock)
  WHERE m.id = ANY(ARRAY(SELECT id FROM judged WHERE verdict NOT IN ('', 'quiet_hours'))) AND m.state = 'queued'
), sent AS (
  UPDATE messaging_message m
  SET state = 'submitting', reason = '', gateway_id = %(gateway)s::bigint, attempts = m.attempts + 1,
      submitted_at = (SELECT now FROM clock)
  WHERE m.id = ANY(ARRAY(SELECT id FROM judged WHERE verdict = '')) AND m.state = 'queued'
  RETURNING nextval(pg_get_serial_sequence('messaging_attempt', 'id')) AS attempt_id, m.id, m.attempts, m.priority,
    m.phone, m.text, m.encoding, m.parts, m.message_class, m.timezone, m.expires_at, m.submitted_at
), attempt AS (
  INSERT INTO messaging_attempt (id, message_id, number, gateway_id, epoch, started_at, outcome, raw_status)
  SELECT attempt_id, id, attempts, %(gateway)s::bigint, %(epoch)s::bigint, submitted_at, '', '' FROM sent
), handover AS (
  INSERT INTO messaging_handover (gateway_id, epoch, started_at, first_attempt, last_attempt, is_open)
  SELECT %(gateway)s::bigint, %(epoch)s::bigint, (SELECT now FROM clock), min(attempt_id), max(attempt_id), true
  FROM sent
  HAVING count(*) > 0
  RETURNING id
)
SELECT attempt_id, sent.id, attempts, phone, text, encoding, parts, message_class,
       extract(epoch FROM least(expires_at, t.closes_at) - submitted_at)::integer, (SELECT id FROM handover)
FROM sent
LEFT JOIN hours t ON message_class = 'marketing' AND t.timezone = sent.timezone AND t.country = substr(phone, 1, 4)
ORDER BY sent.priority, sent.id
