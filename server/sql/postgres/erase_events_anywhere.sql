DELETE FROM events WHERE (id_time, site, id) IN (
    SELECT id_time, site, id FROM events WHERE (visit_id IN (SELECT unnest($1::uuid[]))) IS TRUE LIMIT $2)
