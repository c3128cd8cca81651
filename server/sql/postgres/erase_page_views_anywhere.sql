DELETE FROM page_views WHERE (visit_id IN (SELECT unnest($1::uuid[]))) IS TRUE
