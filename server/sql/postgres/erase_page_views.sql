DELETE FROM page_views AS f
USING unnest($1::uuid[], $2::bigint[], $3::bigint[]) AS v (id, since, until)
WHERE f.visit_id = v.id AND f.occurred_at BETWEEN v.since AND v.until
