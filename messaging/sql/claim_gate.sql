-- The gate before the wire, in a statement (and so a snapshot) after the locks of claim_take.sql: every rule that may
-- have changed since the message was queued is asked again. What passes gets its attempt row and is `submitting`; the
-- caller commits before the first octet leaves. A dead epoch passes nothing. The order of the CASE is the order of the
-- gates; reasons are those of messaging/states.py. How many marketing texts really left for a number (or may have) in the
-- last 24 hours and 30 days is counted last, of those that may go: one too many waits until there is room, if it is then
-- still in time. Those of this claim count each other, the personal ones first; of two claims at once that have a text for
-- one number, one waits a moment. So it is with equal texts that were written in one instant and did not see each other:
-- the one written first leaves, or whichever has left. A message that is no longer queued, or not due, is left alone.
WITH clock AS MATERIALIZED (
  SELECT coalesce(%(at)s::timestamptz, clock_timestamp()) AS now, sms_same_text_window() AS same_for
), lease AS MATERIALIZED (
  SELECT id, lease_epoch, needs_reports FROM messaging_gateway
  WHERE id = %(gateway)s::bigint AND lease_epoch = %(epoch)s::bigint
  FOR SHARE
), message AS MATERIALIZED (
  SELECT m.* FROM lease, clock, unnest(%(ids)s::bigint[]) AS t (id)
  CROSS JOIN LATERAL (
    SELECT m.id, m.member_id, m.store_id, m.template_version_id, m.phone, m.phone_hash, m.message_class, m.cause,
           m.priority, m.timezone, m.gateway_id, m.expires_at, m.attempts, m.is_personal, m.text, m.event_id, m.created_at,
           substr(m.phone, 1, 4) AS country
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
  SELECT m.*, t.opens_at, clock.now, clock.same_for,
    CASE
      WHEN m.expires_at <= clock.now THEN 'too_late'
      WHEN m.message_class = 'marketing' AND NOT coalesce(p.has_marketing_consent, false) THEN 'no_consent'
      WHEN m.cause IN ('rule', 'api') AND m.message_class IN ('notification', 'trigger')
           AND NOT coalesce(p.has_service_consent, true) THEN 'no_consent'
      WHEN (m.message_class = 'marketing' OR (m.message_class <> 'verification' AND m.cause <> 'reply'))
           AND EXISTS (SELECT 1 FROM messaging_suppression s
                       WHERE s.phone_hash = m.phone_hash AND s.lifted_at IS NULL
                         AND (s.scope = 'all' OR m.message_class = 'marketing')) THEN 'opted_out'
      WHEN m.message_class = 'marketing'
           AND EXISTS (SELECT 1 FROM messaging_conversation c
                       WHERE c.phone = m.phone AND c.is_unread AND c.status = 'open') THEN 'unread'
      WHEN t.opens_at > clock.now AND t.opens_at >= m.expires_at THEN 'too_late'
      WHEN t.opens_at > clock.now THEN 'quiet_hours'
      WHEN lease.needs_reports AND m.phone LIKE '+86%%'
           AND NOT sms_is_reported(m.template_version_id, m.store_id, lease.id) THEN 'unregistered'
      WHEN m.attempts >= 3 AND (SELECT count(*) FROM messaging_attempt a
                                WHERE a.message_id = m.id AND a.raw_status = 'process lost') >= 3 THEN 'poison'
      ELSE ''
    END AS said
  FROM message m
  CROSS JOIN clock
  CROSS JOIN lease
  LEFT JOIN hours t ON m.message_class = 'marketing' AND t.timezone = m.timezone AND t.country = m.country
  LEFT JOIN LATERAL (
    SELECT has_marketing_consent, has_service_consent FROM members_member p WHERE p.id = m.member_id OFFSET 0
  ) p ON true
), lately AS MATERIALIZED (  -- what the number of a marketing text that may go had, the newest first, and who else waits for it
  SELECT j.*, heard.times, coalesce(heard.others, same.others) AS others,
         coalesce(heard.is_said, same.is_said, false) AS is_said,
         count(*) FILTER (WHERE j.said = '' AND j.message_class = 'marketing')
           OVER (PARTITION BY j.phone_hash ORDER BY j.is_personal DESC, j.id
                 ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)::int AS before
  FROM judged j
  LEFT JOIN LATERAL (
    SELECT array_agg(coalesce(x.submitted_at, x.created_at) ORDER BY coalesce(x.submitted_at, x.created_at) DESC)
             FILTER (WHERE x.state <> 'queued') AS times,
           array_agg(x.id) FILTER (WHERE x.state = 'queued') AS others,
           j.attempts = 0 AND bool_or(x.text = j.text AND (x.id < j.id OR x.attempts > 0)
             AND x.created_at > j.created_at - j.same_for AND x.created_at < j.created_at + j.same_for
             AND sms_same_text_matters(j.message_class, j.cause, j.event_id)) AS is_said
    FROM messaging_message x
    WHERE x.phone_hash = j.phone_hash AND x.message_class = 'marketing' AND x.id <> j.id
      AND x.created_at > j.now - interval '40 days'  -- no text waits ten days before it leaves
      AND x.state NOT IN ('held', 'retry_wait', 'suppressed', 'expired', 'cancelled', 'rejected')
    OFFSET 0
  ) heard ON j.said = '' AND j.message_class = 'marketing'
  LEFT JOIN LATERAL (  -- of a text that is not marketing: only those that say the same; what is tried again was asked before
    SELECT array_agg(x.id) FILTER (WHERE x.id > j.id AND x.attempts = 0 AND x.state = 'queued'
                                   AND sms_same_text_matters(j.message_class, j.cause, j.event_id)) AS others,
           bool_or((x.id < j.id OR x.attempts > 0) AND sms_same_text_matters(j.message_class, j.cause, j.event_id)) AS is_said
    FROM sms_texts_lately(j.member_id, j.phone_hash) x
    WHERE x.id <> j.id AND x.text = j.text AND x.phone_hash = j.phone_hash
      AND x.state NOT IN ('suppressed', 'expired', 'cancelled', 'rejected')
      AND (x.id < j.id OR sms_same_text_matters(x.message_class, x.cause, x.event_id))
      AND x.created_at > j.created_at - j.same_for AND x.created_at < j.created_at + j.same_for
    OFFSET 0
  ) same ON j.said = '' AND j.message_class NOT IN ('marketing', 'verification') AND j.attempts = 0
), held AS MATERIALIZED (  -- an earlier claim of the same moment holds its own (sms_take): then this one waits for it
  SELECT m.id
  FROM (SELECT DISTINCT unnest(others) AS id FROM lately) other
  CROSS JOIN LATERAL (
    SELECT m.id FROM messaging_message m WHERE m.id = other.id AND m.state = 'queued' FOR NO KEY UPDATE SKIP LOCKED
  ) m
), verdict AS MATERIALIZED (  -- those of this claim before it count too; `fits_at`: when there is room under both caps
  SELECT l.id, l.priority, l.gateway_id, l.expires_at, l.now,
    CASE WHEN l.is_said THEN 'duplicate' WHEN beside.is_beside THEN 'beside' WHEN cap.fits_at > l.now THEN 'frequency'
         ELSE l.said END AS verdict,
    CASE WHEN l.is_said OR beside.is_beside THEN NULL
         WHEN l.said = 'quiet_hours' THEN l.opens_at
         WHEN cap.fits_at > l.now AND cap.fits_at < l.expires_at THEN cap.fits_at END AS waits_until
  FROM lately l
  CROSS JOIN LATERAL (
    SELECT EXISTS (SELECT FROM unnest(l.others) o WHERE o NOT IN (SELECT id FROM held)) AS is_beside
  ) beside
  LEFT JOIN LATERAL (
    SELECT greatest(had.times[%(per_day)s::int] + interval '24 hours', had.times[had.monthly] + interval '30 days',
                    CASE WHEN least(%(per_day)s::int, had.monthly) < 1 THEN timestamptz 'infinity' END) AS fits_at
    FROM (SELECT array_fill(l.now, ARRAY[l.before]) || l.times AS times,
                 %(per_month)s::int - CASE WHEN l.is_personal THEN 0 ELSE %(reserved)s::int END AS monthly) had
  ) cap ON l.said = '' AND l.message_class = 'marketing'
), waiting AS (  -- moved by their ids, here and below: the one way that is right whatever the planner believes
  UPDATE messaging_message m SET (due_at, reason) = (SELECT waits_until, verdict FROM verdict v WHERE v.id = m.id)
  WHERE m.id = ANY(ARRAY(SELECT id FROM verdict WHERE waits_until IS NOT NULL)) AND m.state = 'queued'
), later AS (
  INSERT INTO messaging_waiting (state, priority, gateway_id, due_at, expires_at, ids, taken)
  SELECT 'queued', priority, gateway_id, now + interval '0.2 seconds', expires_at, array_agg(id), 0
  FROM verdict WHERE verdict = 'beside' GROUP BY priority, gateway_id, now, expires_at
), stopped AS (
  UPDATE messaging_message m
  SET (state, reason, final_at) = (
    SELECT CASE verdict WHEN 'too_late' THEN 'expired' WHEN 'poison' THEN 'quarantined' ELSE 'suppressed' END, verdict, now
    FROM verdict v WHERE v.id = m.id)
  WHERE m.id = ANY(ARRAY(SELECT id FROM verdict WHERE verdict NOT IN ('', 'beside') AND waits_until IS NULL))
    AND m.state = 'queued'
), sent AS (
  UPDATE messaging_message m
  SET state = 'submitting', reason = '', gateway_id = %(gateway)s::bigint, attempts = m.attempts + 1,
      submitted_at = (SELECT now FROM clock)
  WHERE m.id = ANY(ARRAY(SELECT id FROM verdict WHERE verdict = '')) AND m.state = 'queued'
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
