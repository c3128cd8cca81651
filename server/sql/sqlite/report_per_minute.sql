SELECT (occurred_at - ?1) / 60000, COUNT(*)
FROM page_views WHERE occurred_at >= ?1 AND occurred_at < ?2 AND (?3 IS NULL OR site = ?3)
GROUP BY 1 ORDER BY 1
