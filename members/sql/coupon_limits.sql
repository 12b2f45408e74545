-- L14, as a coupon is given: the quota is a check on the definition's own count; the member's limit is judged under the
-- lock that count takes. Who was merged into a member counts for that member: what was theirs is the person's.
CREATE OR REPLACE FUNCTION coupon_count_issued() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  counted record;
BEGIN
  FOR counted IN SELECT definition_id, count(*) AS n FROM fresh GROUP BY 1 ORDER BY 1 LOOP
    UPDATE members_coupondefinition SET issued = issued + counted.n WHERE id = counted.definition_id;
  END LOOP;
  IF EXISTS (
       SELECT 1 FROM (SELECT DISTINCT definition_id, member_id FROM fresh) f
       JOIN members_coupondefinition d ON d.id = f.definition_id AND d.member_limit IS NOT NULL
       WHERE (SELECT count(*) FROM members_coupon c
              WHERE c.definition_id = f.definition_id
                AND c.member_id IN (SELECT f.member_id
                                    UNION ALL SELECT m.id FROM members_member m WHERE m.merged_into_id = f.member_id)
                AND (c.state <> 'void' OR c.round > 0)) > d.member_limit) THEN
    RAISE EXCEPTION 'a member has more coupons of a definition than it allows'
      USING ERRCODE = 'check_violation', CONSTRAINT = 'coupon_within_member_limit';
  END IF;
  RETURN NULL;
END $$;
