-- A gateway that no process holds is not connected, whatever its last holder wrote. A refusal stays to be read.
UPDATE messaging_gateway SET bind_state = 'off', bound_at = NULL,
  state_since = CASE bind_state WHEN 'bound' THEN %(at)s ELSE state_since END, last_error = %(nobody)s
WHERE (lease_until IS NULL OR lease_until < %(at)s) AND bind_state IN ('bound', 'connecting', 'waiting')
