DELETE FROM events WHERE visit_id = ANY($1)
