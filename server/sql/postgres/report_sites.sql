-- Grouped on either side: a UNION alone would sort every row.
SELECT site FROM sessions WHERE started_at >= $1 AND started_at < $2 GROUP BY site
UNION SELECT site FROM page_views WHERE occurred_at >= $1 AND occurred_at < $2 GROUP BY site
ORDER BY site LIMIT 1000
