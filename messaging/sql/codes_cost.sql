-- SMS parts of codes that went out in the last hour and day: of the house, and of one store.
SELECT coalesce(sum(parts) FILTER (WHERE created_at > %(at)s::timestamptz - interval '1 hour'), 0),
       coalesce(sum(parts), 0),
       coalesce(sum(parts) FILTER (WHERE store_id = %(store)s::bigint
                                     AND created_at > %(at)s::timestamptz - interval '1 hour'), 0),
       coalesce(sum(parts) FILTER (WHERE store_id = %(store)s::bigint), 0)
FROM messaging_verificationcode
WHERE is_sent AND created_at > %(at)s::timestamptz - interval '24 hours'
