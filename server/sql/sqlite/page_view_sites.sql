SELECT site FROM page_views WHERE id = ?1
