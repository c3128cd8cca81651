SELECT source FROM orders WHERE site = ?1 AND id = ?2
