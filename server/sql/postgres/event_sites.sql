SELECT e.id, e.site FROM unnest($1::bigint[], $2::uuid[]) AS w (id_time, id)
JOIN events AS e ON e.id_time = w.id_time AND e.id = w.id
