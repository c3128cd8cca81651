DELETE FROM page_views WHERE visit_id = ?1 AND occurred_at BETWEEN ?2 AND ?3
