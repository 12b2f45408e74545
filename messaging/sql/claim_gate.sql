-- The gate before the wire, in a statement (and so a snapshot) after the locks of claim_take.sql: every rule that may
-- have changed since the message was queued is asked again. What passes gets its attempt row and is `submitting`; the
-- caller commits before the first octet leaves. A dead epoch passes nothing. The order of the CASE is the order of the
-- gates; reasons are those of messaging/states.py.
WITH clock AS MATERIALIZED (
  SELECT coalesce(%(at)s::timestamptz, clock_timestamp()) AS now
), lease AS MATERIALIZED (
  SELECT id, lease_epoch, needs_reports FROM messaging_gateway
  WHERE id = %(gateway)s::bigint AND lease_epoch = %(epoch)s::bigint
  FOR SHARE
), judged AS MATERIALIZED (
  SELECT m.id, m.attempts + 1 AS number, t.opens_at, clock.now,
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
  FROM messaging_message m
  CROSS JOIN clock
  CROSS JOIN lease
  LEFT JOIN members_member p ON p.id = m.member_id
  CROSS JOIN LATERAL (
    SELECT CASE WHEN m.message_class = 'marketing'
                THEN sms_next_opening(clock.now, m.timezone, m.phone, %(opens)s::time, %(closes)s::time)
                ELSE clock.now END AS opens_at
  ) t
  WHERE m.id = ANY(%(ids)s::bigint[])
), waiting AS (
  UPDATE messaging_message m SET due_at = j.opens_at, reason = j.verdict
  FROM judged j WHERE j.verdict = 'quiet_hours' AND m.id = j.id
), stopped AS (
  UPDATE messaging_message m
  SET state = CASE j.verdict WHEN 'too_late' THEN 'expired' WHEN 'poison' THEN 'quarantined' ELSE 'suppressed' END,
      reason = j.verdict, final_at = j.now
  FROM judged j WHERE j.verdict NOT IN ('', 'quiet_hours') AND m.id = j.id
), sent AS (
  UPDATE messaging_message m
  SET state = 'submitting', reason = '', gateway_id = %(gateway)s::bigint, attempts = j.number, submitted_at = j.now
  FROM judged j WHERE j.verdict = '' AND m.id = j.id
  RETURNING m.id, m.attempts, m.priority, m.phone, m.text, m.encoding, m.message_class, j.now,
    CASE WHEN m.message_class = 'marketing'
         THEN least(m.expires_at,
                    sms_window_end(j.now, m.timezone, m.phone, %(opens)s::time, %(closes)s::time))
         ELSE m.expires_at END AS ends_at
), attempt AS (
  INSERT INTO messaging_attempt (message_id, number, gateway_id, epoch, started_at, outcome, raw_status)
  SELECT sent.id, sent.attempts, %(gateway)s::bigint, %(epoch)s::bigint, sent.now, '', '' FROM sent
  RETURNING id, message_id
)
SELECT attempt.id, sent.id, sent.attempts, sent.phone, sent.text, sent.encoding, sent.message_class,
       extract(epoch FROM sent.ends_at - sent.now)::integer
FROM sent JOIN attempt ON attempt.message_id = sent.id
ORDER BY sent.priority, sent.id
