SELECT e.id, e.site FROM unnest($1::bigint[], $2::uuid[], $3::text[]) AS w (id_time, id, site)
JOIN events AS e ON e.id_time = w.id_time AND e.site = w.site COLLATE "C" AND e.id = w.id
