SELECT p.id, p.site FROM unnest($1::bigint[], $2::uuid[], $3::text[]) AS w (id_time, id, site)
JOIN page_views AS p ON p.id_time = w.id_time AND p.site = w.site COLLATE "C" AND p.id = w.id
