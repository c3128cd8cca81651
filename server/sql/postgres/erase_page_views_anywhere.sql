DELETE FROM page_views WHERE visit_id = ANY($1)
