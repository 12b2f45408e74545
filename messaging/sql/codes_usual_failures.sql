-- The median of the failed checks in each hour of the week before this hour; an hour without any counts as none.
SELECT coalesce(percentile_cont(0.5) WITHIN GROUP (ORDER BY hours.failed), 0)
FROM (
  SELECT g.hour, count(f.id) AS failed
  FROM generate_series(1, %(hours)s::int) AS g (hour)
  LEFT JOIN messaging_failedcheck f
    ON f.at <= %(at)s::timestamptz - make_interval(hours => g.hour)
   AND f.at > %(at)s::timestamptz - make_interval(hours => g.hour + 1)
  GROUP BY g.hour
) hours
