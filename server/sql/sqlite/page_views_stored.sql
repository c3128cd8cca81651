SELECT 1 FROM page_views WHERE id = ?1 AND site = ?2
