UPDATE page_views AS p SET
    engaged_ms = GREATEST(COALESCE(p.engaged_ms, 0), w.engaged_ms),
    scroll_pct = GREATEST(COALESCE(p.scroll_pct, 0), w.scroll_pct)
FROM unnest($1::bigint[], $2::uuid[], $3::text[], $4::uuid[], $5::bigint[], $6::bigint[]) AS w (id_time, id, site, visit_id, engaged_ms, scroll_pct)
WHERE p.id_time = w.id_time AND p.site = w.site COLLATE "C" AND p.id = w.id AND p.visit_id = w.visit_id
