-- For each visitor and instant: the newest visits without a user that began at or before it, so many.
SELECT s.id, s.site, s.visitor_id, s.user_id, s.started_at, s.last_activity, s.ended_at, s.page_views, s.events, w.place
FROM unnest($1::text[], $2::bigint[], $3::bigint[]) WITH ORDINALITY AS w (visitor_id, at, most, place)
CROSS JOIN LATERAL (
    SELECT * FROM sessions
    WHERE visitor_id = w.visitor_id COLLATE "C" AND user_id IS NULL AND started_at <= w.at
    ORDER BY started_at DESC LIMIT w.most
) AS s
