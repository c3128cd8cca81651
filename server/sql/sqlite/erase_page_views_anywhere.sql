DELETE FROM page_views WHERE visit_id IN (SELECT value FROM json_each(?1))
