-- What the watch asks of the queue and the wire, in one row. Each part is bounded by an index or a page summary.
SELECT
  (SELECT json_agg(json_build_object('gateway', g.name, 'id', g.id, 'seconds', extract(epoch FROM %(at)s - g.state_since)))
   FROM messaging_gateway g
   WHERE g.is_active AND g.bind_state <> 'bound' AND g.state_since <= %(at)s - interval '2 minutes') AS down,
  (SELECT json_agg(json_build_object('gateway', g.name, 'id', g.id, 'tries', w.tries, 'refused', w.refused,
                                     'before', coalesce(t.share, 0)))
   FROM (SELECT a.gateway_id, count(*) AS tries,
           count(*) FILTER (WHERE a.outcome IN ('permanent', 'retry', 'stop_bind')) AS refused
         FROM messaging_attempt a
         WHERE a.started_at > %(at)s - interval '15 minutes' AND a.started_at <= %(at)s GROUP BY 1) w
   JOIN messaging_gateway g ON g.id = w.gateway_id
   LEFT JOIN LATERAL (
     SELECT sum(refused)::float8 / nullif(sum(tries), 0) AS share FROM messaging_tally
     WHERE gateway_id = g.id AND hour_at >= %(at)s - interval '25 hours' AND hour_at < date_trunc('hour', %(at)s)
   ) t ON true
   WHERE w.tries >= 20 AND w.refused > greatest(0.1, 3 * coalesce(t.share, 0)) * w.tries) AS refusing,
  (SELECT json_build_object('texts', count(*), 'p99', percentile_cont(0.99) WITHIN GROUP (ORDER BY m.waited))
   FROM (SELECT extract(epoch FROM coalesce(x.submitted_at, %(at)s) - x.created_at) AS waited FROM messaging_message x
         WHERE x.created_at > %(at)s - interval '10 minutes' AND x.created_at <= %(at)s AND x.priority = 0
           AND (x.submitted_at IS NOT NULL OR x.state = 'queued')) m) AS codes,
  (SELECT json_build_object('silent', count(*))
   FROM messaging_handover h
   JOIN messaging_attempt a ON a.id BETWEEN h.first_attempt AND h.last_attempt AND a.gateway_id = h.gateway_id
   JOIN messaging_message m ON m.id = a.message_id AND m.attempts = a.number
   WHERE h.started_at > %(at)s - interval '3 hours' AND h.started_at <= %(at)s - interval '1 hour'
     AND m.state = 'accepted') AS silent,
  (SELECT coalesce(sum(accepted), 0) FROM messaging_tally
   WHERE hour_at >= date_trunc('hour', %(at)s - interval '3 hours') AND hour_at < %(at)s - interval '1 hour') AS accepted,
  (SELECT json_agg(json_build_object('priority', q.priority, 'seconds', extract(epoch FROM %(at)s - q.due_at)))
   FROM unnest(%(priorities)s::smallint[]) p,
   LATERAL (SELECT m.priority, m.due_at FROM messaging_waiting w, unnest(w.ids[w.taken + 1 :]) AS o (id)
            JOIN messaging_message m ON m.id = o.id AND m.state = 'queued'
            WHERE w.state = 'queued' AND w.priority = p AND w.due_at <= %(at)s - interval '2 minutes'
              AND m.due_at <= %(at)s - interval '2 minutes'
            ORDER BY w.due_at LIMIT 1) q) AS waiting
