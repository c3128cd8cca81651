INSERT INTO visitors (site, visitor_id, visit_id)
SELECT * FROM unnest($1::text[], $2::text[], $3::uuid[])
ON CONFLICT (site, visitor_id) DO UPDATE SET visit_id = excluded.visit_id
