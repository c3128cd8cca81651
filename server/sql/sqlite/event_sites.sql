SELECT site FROM events WHERE id = ?1
