SELECT p.id, p.site FROM unnest($1::bigint[], $2::uuid[]) AS w (id_time, id)
JOIN page_views AS p ON p.id_time = w.id_time AND p.id = w.id
