DELETE FROM visitors AS v USING unnest($1::text[], $2::text[]) AS w (site, visitor_id)
WHERE v.site = w.site COLLATE "C" AND v.visitor_id = w.visitor_id COLLATE "C"
