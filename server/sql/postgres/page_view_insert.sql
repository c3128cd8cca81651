INSERT INTO page_views (id_time, id, site, visit_id, occurred_at, received_at, url, path, referrer, title, device, sequence)
SELECT * FROM unnest($1::bigint[], $2::uuid[], $3::text[], $4::uuid[], $5::bigint[], $6::bigint[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[], $12::integer[])
