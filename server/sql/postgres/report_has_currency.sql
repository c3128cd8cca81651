SELECT EXISTS (SELECT 1 FROM orders WHERE currency = $1) OR EXISTS (SELECT 1 FROM refunds WHERE currency = $1)
