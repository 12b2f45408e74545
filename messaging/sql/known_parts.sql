-- The parts of these messages that a gateway has taken already: they are not sent again.
SELECT message_id, part, provider_id FROM messaging_submittedpart
WHERE message_id = ANY(%(ids)s::bigint[]) AND outcome <> 'undelivered'
