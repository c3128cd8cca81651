SELECT COUNT(*) FROM page_views WHERE occurred_at >= $1 AND occurred_at < $2 AND ($3::text IS NULL OR site = $3)
