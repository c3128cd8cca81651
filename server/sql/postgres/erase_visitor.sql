DELETE FROM visitors WHERE visitor_id = $1 AND site = ANY (ARRAY(SELECT site FROM visitors WHERE visitor_id = $1 LIMIT $2))
