"""The statements of a members import. `{stage}` is the triage's temporary table."""

COLUMNS = "row, phone, phone_hash, member_no, name, language, birthday, gender, tags, service, marketing"

STAGE = """
CREATE TEMPORARY TABLE {stage}_rows (
  row integer, phone text, phone_hash bytea, member_no text, name text, language text, birthday date,
  gender text, tags text[], service boolean, marketing boolean
) ON COMMIT DROP
"""

# The number of a merged member leads to the one who was kept. One verdict a row. A word of consent counts when it is new: a yes where nothing was ever said, a no to a yes.
JUDGE = """
CREATE TEMPORARY TABLE {stage} ON COMMIT DROP AS
SELECT s.row, coalesce(m.phone, s.phone) AS phone, coalesce(m.phone_hash, s.phone_hash) AS phone_hash, s.member_no, s.name, s.language, s.birthday, s.gender, s.tags,
       word.service, word.marketing,
       CASE
         WHEN m.id IS NULL AND n.id IS NOT NULL THEN 'no_taken'
         WHEN m.id IS NULL THEN 'new'
         WHEN row_number() OVER (PARTITION BY m.id ORDER BY s.row) > 1 THEN 'same_person'
         WHEN m.home_store_id <> %(store)s THEN 'other_store'
         WHEN s.member_no <> '' AND s.member_no <> m.member_no THEN 'phone_taken'
         WHEN (s.name <> '' AND s.name <> m.name) OR (s.language <> '' AND s.language <> m.language)
           OR (s.birthday IS DISTINCT FROM m.birthday AND s.birthday IS NOT NULL)
           OR (s.gender <> '' AND s.gender <> m.gender) OR NOT s.tags <@ m.tags::text[]
           OR word.service IS NOT NULL OR word.marketing IS NOT NULL THEN 'updated'
         ELSE 'unchanged'
       END AS bucket
FROM {stage}_rows s
LEFT JOIN members_member held ON held.phone = s.phone
LEFT JOIN members_member m ON m.id = coalesce(held.merged_into_id, held.id)
LEFT JOIN members_member n ON n.member_no = s.member_no AND s.member_no <> ''
CROSS JOIN LATERAL (SELECT
  CASE WHEN s.service IS NULL THEN NULL
       WHEN s.service AND EXISTS (SELECT 1 FROM members_consententry c
                                  WHERE c.member_id = m.id AND c.purpose = 'service') THEN NULL
       WHEN NOT s.service AND NOT coalesce(m.has_service_consent, false) THEN NULL
       ELSE s.service END AS service,
  CASE WHEN s.marketing IS NULL THEN NULL
       WHEN s.marketing AND EXISTS (SELECT 1 FROM members_consententry c
                                    WHERE c.member_id = m.id AND c.purpose = 'marketing') THEN NULL
       WHEN NOT s.marketing AND NOT coalesce(m.has_marketing_consent, false) THEN NULL
       ELSE s.marketing END AS marketing) word
"""

# A row without a member number gets one of fifteen digits, so that a million at once do not collide.
INSERT = """
WITH fresh AS (
  INSERT INTO members_member
    (public_id, member_no, phone, phone_hash, name, language, birthday, gender, home_store_id, tags, notes,
     source, timezone, has_service_consent, has_marketing_consent, enrolled_at)
  SELECT gen_random_uuid(),
         CASE WHEN member_no <> '' THEN member_no
              ELSE 'R' || lpad((('x' || substr(replace(gen_random_uuid()::text, '-', ''), 1, 15))::bit(60)::bigint
                                %% 1000000000000000)::text, 15, '0') END,
         phone, phone_hash, name, coalesce(nullif(language, ''), %(language)s), birthday, gender, %(store)s,
         tags, '', %(source)s, '', false, false, %(at)s
  FROM {stage} WHERE bucket = 'new' ORDER BY row
  ON CONFLICT DO NOTHING
  RETURNING id
), facts AS (
  INSERT INTO members_memberfacts (member_id, visits, spend_minor) SELECT id, 0, 0 FROM fresh
)
SELECT count(*) FROM fresh
"""

# What a row `s` makes of the member `m` there is, if any.
BECOMES = {
    "name": "coalesce(nullif(s.name, ''), m.name)",
    "language": "coalesce(nullif(s.language, ''), m.language)",
    "birthday": "coalesce(s.birthday, m.birthday)",
    "gender": "coalesce(nullif(s.gender, ''), m.gender)",
    "tags": """coalesce(m.tags, '{{}}') || ARRAY(SELECT t FROM unnest(s.tags) WITH ORDINALITY AS given (t, place)
               WHERE t <> ALL(coalesce(m.tags, '{{}}')) ORDER BY place)::varchar(40)[]""",
}
_SAID = {
    "has_service_consent": "coalesce(s.service, m.has_service_consent)",
    "has_marketing_consent": "coalesce(s.marketing, m.has_marketing_consent)",
}
SHOWN = (*BECOMES, *_SAID)

UPDATE = f"""
UPDATE members_member m
SET {", ".join(f"{name} = {becomes}" for name, becomes in BECOMES.items())}
FROM {{stage}} s
WHERE s.bucket = 'updated' AND m.phone = s.phone AND m.home_store_id = %(store)s
"""

CONSENT = """
WITH said AS (
  INSERT INTO members_consententry
    (member_id, purpose, is_given, wording_version, source, store_id, staff_id, at)
  SELECT m.id, '{purpose}', s.{purpose}, %(wording)s, %(source)s, %(store)s, %(staff)s, %(at)s
  FROM {stage} s JOIN members_member m ON m.phone = s.phone AND m.home_store_id = %(store)s
  WHERE s.bucket IN ('new', 'updated') AND s.{purpose} IS NOT NULL
    AND NOT (s.{purpose} AND EXISTS (SELECT FROM members_consententry c  -- said at the till since the triage
                                     WHERE c.member_id = m.id AND c.purpose = '{purpose}'))
  RETURNING member_id, is_given
)
UPDATE members_member m SET has_{purpose}_consent = said.is_given FROM said WHERE m.id = said.member_id
"""

# The first rows of each sound bucket: row, bucket, what the member has, what the member would have.
SAMPLE = f"""
SELECT s.row, s.bucket,
       {", ".join(f"m.{name}" for name in SHOWN)},
       {", ".join((BECOMES | _SAID).values())}
FROM (
  (SELECT * FROM {{stage}} WHERE bucket = 'updated' ORDER BY row LIMIT %(most)s) UNION ALL
  (SELECT * FROM {{stage}} WHERE bucket = 'new' ORDER BY row LIMIT %(most)s) UNION ALL
  (SELECT * FROM {{stage}} WHERE bucket = 'unchanged' ORDER BY row LIMIT %(most)s)
) s
LEFT JOIN members_member m ON m.phone = s.phone AND m.home_store_id = %(store)s
ORDER BY s.row
"""
