DELETE FROM orders WHERE visitor_id = $1 OR visit_id = ANY($2)
