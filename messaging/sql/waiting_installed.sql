-- What waits and what is on its way when this is installed.
INSERT INTO messaging_waiting (state, priority, gateway_id, due_at, expires_at, ids, taken)
SELECT state, priority, gateway_id,
       CASE WHEN state = 'uncertain' THEN coalesce(submitted_at, now()) + interval '5 seconds' ELSE due_at END,
       expires_at, array_agg(id), 0
FROM messaging_message
WHERE state IN ('held', 'queued', 'retry_wait', 'uncertain', 'quarantined', 'unknown', 'no_receipt')
GROUP BY 1, 2, 3, 4, 5, id / 1000;
INSERT INTO messaging_handover (gateway_id, epoch, started_at, first_attempt, last_attempt, is_open)
SELECT a.gateway_id, a.epoch, min(a.started_at), min(a.id), max(a.id), true
FROM messaging_attempt a JOIN messaging_message m ON m.id = a.message_id AND m.attempts = a.number
WHERE m.state IN ('submitting', 'accepted') GROUP BY 1, 2, date_trunc('hour', a.started_at);
