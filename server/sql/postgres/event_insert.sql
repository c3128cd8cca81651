INSERT INTO events (id_time, id, site, visit_id, occurred_at, received_at, name, props, url)
SELECT * FROM unnest($1::bigint[], $2::uuid[], $3::text[], $4::uuid[], $5::bigint[], $6::bigint[], $7::text[], $8::text[], $9::text[])
