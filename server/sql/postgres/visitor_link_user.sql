UPDATE sessions AS s SET user_id = w.user_id
FROM unnest($1::text[], $2::text[]) AS w (visitor_id, user_id)
WHERE s.visitor_id = w.visitor_id COLLATE "C" AND s.user_id IS NULL
