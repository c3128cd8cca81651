UPDATE sessions SET page_views = $2, events = $3 WHERE id = $1
