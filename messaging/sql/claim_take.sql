-- What may be claimed now: ids, and how many were looked at (sms_take, messaging/sql/waiting.sql). No reading of rules
-- here: see claim_gate.sql.
SELECT ids, looked_at
FROM sms_take(%(gateway)s::bigint, %(epoch)s::bigint, %(priorities)s::smallint[], %(limit)s::int,
              coalesce(%(at)s::timestamptz, now()))
