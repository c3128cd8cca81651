SELECT site, visitor_id, page_views + events > 0 FROM sessions WHERE id = $1
