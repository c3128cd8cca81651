DELETE FROM page_views WHERE (id, site) IN (
    SELECT id, site FROM page_views WHERE visit_id IN (SELECT value FROM json_each(?1)) LIMIT ?2)
