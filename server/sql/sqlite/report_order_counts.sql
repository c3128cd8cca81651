SELECT currency, COUNT(*) FROM orders WHERE created_at >= ?1 AND created_at < ?2 AND (?3 IS NULL OR site = ?3)
GROUP BY currency
