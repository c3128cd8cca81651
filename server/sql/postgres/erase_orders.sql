DELETE FROM orders WHERE visitor_id = $1 OR (visit_id IN (SELECT unnest($2::uuid[]))) IS TRUE
