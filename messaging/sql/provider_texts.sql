-- The provider's templates that these messages, or the engine's own texts, may go by at this gateway.
SELECT coalesce(t.version_id, 0), t.system_text, t.language, t.code, t.parameters, coalesce(v.text, ''),
       coalesce(v.language, t.language), coalesce(m.message_class, '')
FROM messaging_providertemplate t
LEFT JOIN messaging_templateversion v ON v.id = t.version_id
LEFT JOIN messaging_template m ON m.id = v.template_id
WHERE t.gateway_id = %(gateway)s AND t.status = 'approved' AND t.code <> ''
  AND (t.version_id IS NULL
       OR t.version_id IN (SELECT template_version_id FROM messaging_message WHERE id = ANY(%(ids)s::bigint[])))
