SELECT visitor_hash FROM erased_visitors WHERE visitor_hash = ANY($1)
