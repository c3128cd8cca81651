SELECT r.site, r.id FROM unnest($1::text[], $2::text[]) AS w (site, id)
JOIN refunds AS r ON r.site = w.site COLLATE "C" AND r.id = w.id COLLATE "C"
