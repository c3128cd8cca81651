UPDATE sessions AS s SET last_activity = w.last_activity, ended_at = w.ended_at, page_views = w.page_views, events = w.events
FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::integer[], $5::integer[]) AS w (id, last_activity, ended_at, page_views, events)
WHERE s.id = w.id
