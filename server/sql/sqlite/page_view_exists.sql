SELECT 1 FROM page_views WHERE site = ?1 AND id = ?2
