-- Each promise of the messages that the rows can break, with how often and the first one. Reads everything: nightly.
WITH tried AS MATERIALIZED (
  SELECT a.message_id, count(*) AS tries, count(*) FILTER (WHERE a.outcome IN ('accepted', 'uncertain', '')) AS copies,
         max(a.number) AS last, max(a.started_at) AS last_at
  FROM messaging_attempt a GROUP BY 1
)
SELECT 'M1', count(*), min(m.id) FROM messaging_message m
  WHERE m.state NOT IN ('held', 'queued', 'submitting', 'accepted', 'retry_wait', 'uncertain', 'delivered', 'undelivered',
                        'no_receipt', 'rejected', 'expired', 'cancelled', 'suppressed', 'unknown', 'quarantined')
     OR (m.final_at IS NULL) <> (m.state IN ('held', 'queued', 'submitting', 'accepted', 'retry_wait', 'uncertain'))
UNION ALL
SELECT 'M4', count(*), min(m.id) FROM messaging_message m LEFT JOIN tried t ON t.message_id = m.id
  WHERE m.attempts <> coalesce(t.last, 0) OR coalesce(t.last, 0) <> coalesce(t.tries, 0)
     OR coalesce(t.copies, 0) > CASE WHEN m.message_class = 'marketing' OR m.cause = 'reply' THEN 1 ELSE 2 END
UNION ALL
SELECT 'M5', count(*), min(x.message_id) FROM (
    SELECT p.message_id, p.part FROM messaging_submittedpart p JOIN messaging_message m ON m.id = p.message_id
    WHERE m.message_class = 'marketing' GROUP BY 1, 2 HAVING count(*) > 1) x
UNION ALL
SELECT 'M6', count(*), min(m.id) FROM messaging_message m
  JOIN messaging_attempt a ON a.message_id = m.id AND a.number = m.attempts
  JOIN messaging_gateway g ON g.id = a.gateway_id
  WHERE (m.state = 'submitting' AND a.outcome = '' AND m.submitted_at < %(at)s - interval '45 seconds'
         AND (g.lease_epoch <> a.epoch OR g.lease_until IS NULL OR g.lease_until < %(at)s - interval '15 seconds'))
     OR (m.state = 'rejected' AND a.outcome = 'uncertain')
     OR (m.state = 'uncertain' AND a.outcome NOT IN ('uncertain', ''))
UNION ALL
SELECT 'M13', count(*), min(m.id) FROM messaging_message m JOIN tried t ON t.message_id = m.id
  WHERE t.last_at >= m.expires_at
UNION ALL
SELECT 'M14', count(*), min(a.message_id) FROM messaging_attempt a
  JOIN messaging_message m ON m.id = a.message_id
  WHERE a.outcome = '' AND (m.state <> 'submitting' OR a.number <> m.attempts)
    AND a.started_at < %(at)s - interval '1 minute'
UNION ALL
SELECT 'M20', count(*), min(x.id) FROM (
    SELECT min(m.id) AS id FROM messaging_message m WHERE m.event_id IS NOT NULL AND m.template_version_id IS NOT NULL
      AND m.cause <> 'reply'
    GROUP BY m.event_id, m.template_version_id, m.phone, m.cause, m.cause_id HAVING count(*) > 1) x
