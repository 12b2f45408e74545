"""The statements of a purchases import. `{stage}` is the triage's temporary table."""

COLUMNS = "row, member_no, phone, at, items, amount, ref"

STAGE = """
CREATE TEMPORARY TABLE {stage}_rows (
  row integer, member_no text, phone text, at timestamptz, items integer, amount bigint, ref text
) ON COMMIT DROP
"""

# A purchase without a reference of its own is known by what it says: the same person, time, items and amount for
# the n-th time in the file. So the same file changes nothing, and two equal purchases of one day stay two.
JUDGE = """
CREATE TEMPORARY TABLE {stage} ON COMMIT DROP AS
WITH known AS (
  SELECT s.row, s.at, s.items, s.amount, m.id AS member_id,
         CASE WHEN s.ref <> '' THEN s.ref ELSE
           left(encode(sha256(convert_to(concat_ws('|', %(store)s::bigint, held.member_no, extract(epoch FROM s.at),
             s.items, s.amount,
             row_number() OVER (PARTITION BY held.id, s.at, s.items, s.amount, s.ref ORDER BY s.row)), 'UTF8')),
             'hex'), 48) END AS external_ref
  FROM {stage}_rows s LEFT JOIN members_member held ON {match}
  LEFT JOIN members_member m ON m.id = coalesce(held.merged_into_id, held.id)
)
SELECT k.row, k.at, k.items, k.amount, k.member_id, k.external_ref,
       CASE WHEN k.member_id IS NULL THEN 'no_member'
            WHEN p.id IS NULL THEN 'new'
            WHEN p.member_id <> k.member_id OR p.amount_minor <> k.amount THEN 'ref_used'
            ELSE 'unchanged' END AS bucket
FROM known k
LEFT JOIN members_purchase p
  ON p.store_id = %(store)s AND p.external_ref = k.external_ref AND p.external_ref <> ''
"""

# The first rows of each sound bucket.
SAMPLE = """
(SELECT row, bucket FROM {stage} WHERE bucket = 'new' ORDER BY row LIMIT %(most)s) UNION ALL
(SELECT row, bucket FROM {stage} WHERE bucket = 'unchanged' ORDER BY row LIMIT %(most)s)
"""

INSERT = """
WITH fresh AS (
  INSERT INTO members_purchase (member_id, store_id, at, amount_minor, items, external_ref)
  SELECT member_id, %(store)s, at, amount, items, external_ref FROM {stage} WHERE bucket = 'new' ORDER BY row
  ON CONFLICT (store_id, external_ref) WHERE external_ref <> '' DO NOTHING
  RETURNING member_id, at, amount_minor
), sums AS (
  INSERT INTO members_memberfacts AS f (member_id, visits, first_visit_at, last_visit_at, spend_minor)
  SELECT member_id, count(*), min(at), max(at), sum(amount_minor) FROM fresh GROUP BY member_id ORDER BY member_id
  ON CONFLICT (member_id) DO UPDATE
  SET visits = f.visits + excluded.visits,
      first_visit_at = least(f.first_visit_at, excluded.first_visit_at),
      last_visit_at = greatest(f.last_visit_at, excluded.last_visit_at),
      spend_minor = f.spend_minor + excluded.spend_minor
)
SELECT count(*) FROM fresh
"""
