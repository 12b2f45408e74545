-- Whether all of a text that carriers want reported is, at this gateway: the store's signature, and each link and phone
-- number of the wording (a link covers what begins with it). A text of no template has its signature only. Asked only of
-- gateways that refuse what is not reported; a carrier that turned it down, or a lapsed report, is a no.
CREATE OR REPLACE FUNCTION sms_is_reported(in_version bigint, in_store bigint, in_gateway bigint)
RETURNS boolean LANGUAGE sql STABLE AS $$
  WITH signature AS (
    SELECT g.id FROM members_store s JOIN messaging_signature g ON g.text = btrim(s.sms_signature, '【】 ')
    WHERE s.id = in_store
      AND EXISTS (SELECT 1 FROM messaging_registration r
                  WHERE r.signature_id = g.id AND r.gateway_id = in_gateway AND r.status = 'approved')
      AND NOT EXISTS (SELECT 1 FROM messaging_registration r
                      WHERE r.signature_id = g.id AND r.gateway_id = in_gateway AND r.status <> 'approved')
  ), carried AS (
    SELECT CASE c.value WHEN '{store_phone}' THEN regexp_replace(s.phone, '[ -]', '', 'g') ELSE c.value END AS value
    FROM messaging_templateversion v
    CROSS JOIN LATERAL jsonb_array_elements_text(v.contacts) AS c (value)
    LEFT JOIN members_store s ON s.id = in_store
    WHERE v.id = in_version
  )
  SELECT EXISTS (SELECT 1 FROM signature)
    AND NOT EXISTS (
      SELECT 1 FROM carried
      WHERE carried.value <> '' AND NOT EXISTS (
        SELECT 1 FROM messaging_contact k JOIN signature ON signature.id = k.signature_id
        WHERE (k.value = carried.value OR (k.kind = 'link' AND carried.value LIKE k.value || '%'))
          AND EXISTS (SELECT 1 FROM messaging_registration r
                      WHERE r.contact_id = k.id AND r.gateway_id = in_gateway AND r.status = 'approved')
          AND NOT EXISTS (SELECT 1 FROM messaging_registration r
                          WHERE r.contact_id = k.id AND r.gateway_id = in_gateway AND r.status <> 'approved')))
    AND (in_version IS NULL OR NOT EXISTS (
      SELECT 1 FROM messaging_providertemplate p
      WHERE p.version_id = in_version AND p.gateway_id = in_gateway AND p.status IN ('rejected', 'stale')))
$$;
