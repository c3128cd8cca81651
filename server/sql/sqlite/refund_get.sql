SELECT 1 FROM refunds WHERE site = ?1 AND id = ?2
