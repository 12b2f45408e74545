-- Of the last so many codes that went out, how many were used. A repeat is the code it repeats.
SELECT count(*), count(*) FILTER (WHERE coalesce(f.used_at, c.used_at) IS NOT NULL)
FROM (
  SELECT id, same_as_id, used_at FROM messaging_verificationcode
  WHERE is_sent AND created_at > %(since)s::timestamptz AND created_at <= %(at)s::timestamptz
  ORDER BY created_at DESC, id DESC LIMIT %(window)s
) c
LEFT JOIN messaging_verificationcode f ON f.id = c.same_as_id
