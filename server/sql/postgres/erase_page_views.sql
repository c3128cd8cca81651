-- With IS TRUE the ids are hashed once; IN alone would become a join, which is a loop over all of them.
DELETE FROM page_views WHERE (id_time, site, id) IN (
    SELECT id_time, site, id FROM page_views
    WHERE occurred_at BETWEEN $2 AND $3 AND (visit_id IN (SELECT unnest($1::uuid[]))) IS TRUE LIMIT $4)
