UPDATE sessions SET last_activity = ?2, ended_at = ?3, page_views = ?4, events = ?5 WHERE id = ?1
