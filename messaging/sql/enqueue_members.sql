-- The texts of one cause to many members, finished: what differs comes as columns, what is the same once. The rules are
-- those of sms_enqueue. Gives how many came to stand in each state.
SELECT e.out_state, count(*)
FROM (SELECT ARRAY[%(total)s::int] AS long) d, LATERAL sms_enqueue(
  %(phones)s::text[], %(hashes)s::bytea[], %(members)s::bigint[], array_fill(%(store)s::bigint, d.long),
  array_fill(%(message_class)s::text, d.long), array_fill(%(priority)s::smallint, d.long), %(languages)s::text[],
  %(texts)s::text[], %(encodings)s::text[], %(parts)s::smallint[], %(versions)s::bigint[],
  array_fill(%(cause)s::text, d.long), array_fill(%(cause_id)s::bigint, d.long), array_fill(NULL::bigint, d.long),
  %(zones)s::text[], array_fill(%(at)s::timestamptz, d.long), array_fill(%(expires_at)s::timestamptz, d.long),
  %(refusals)s::text[], %(at)s::timestamptz, %(opens)s::time, %(closes)s::time, %(per_day)s, %(per_month)s,
  %(is_personal)s, %(reserved)s
) e
GROUP BY e.out_state
