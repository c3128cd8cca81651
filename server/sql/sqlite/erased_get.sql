SELECT 1 FROM erased_visitors WHERE visitor_hash = ?1
