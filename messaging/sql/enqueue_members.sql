-- The texts of one cause to many members, finished, as one JSON list: phone and hash are the member's own, the rules
-- are those of sms_enqueue. Gives how many came to stand in each state.
WITH said AS MATERIALIZED (
  SELECT s.*, m.phone, m.phone_hash, coalesce(v.language, '') AS language
  FROM json_to_recordset(%(said)s::json)
    AS s (member bigint, version bigint, text text, encoding text, parts smallint, refusal text, zone text)
  JOIN members_member m ON m.id = s.member
  LEFT JOIN messaging_templateversion v ON v.id = s.version
), draft AS (
  SELECT
    array_agg(phone::text) AS phones, array_agg(phone_hash) AS hashes, array_agg(member) AS members,
    array_agg(%(store)s::bigint) AS stores, array_agg(%(message_class)s::text) AS classes,
    array_agg(%(priority)s::smallint) AS priorities, array_agg(language::text) AS languages,
    array_agg(text) AS texts, array_agg(encoding) AS encodings, array_agg(parts) AS parts,
    array_agg(version) AS versions, array_agg(%(cause)s::text) AS causes,
    array_agg(%(cause_id)s::bigint) AS cause_ids, array_agg(NULL::bigint) AS events, array_agg(zone) AS zones,
    array_agg(%(at)s::timestamptz) AS dues, array_agg(%(expires_at)s::timestamptz) AS expiries,
    array_agg(refusal) AS refusals
  FROM said
)
SELECT e.out_state, count(*)
FROM draft d, LATERAL sms_enqueue(
  d.phones, d.hashes, d.members, d.stores, d.classes, d.priorities, d.languages, d.texts, d.encodings, d.parts,
  d.versions, d.causes, d.cause_ids, d.events, d.zones, d.dues, d.expiries, d.refusals,
  %(at)s::timestamptz, %(opens)s::time, %(closes)s::time, %(per_day)s, %(per_month)s
) e
GROUP BY e.out_state
