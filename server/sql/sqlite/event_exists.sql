SELECT 1 FROM events WHERE site = ?1 AND id = ?2
