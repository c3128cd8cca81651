UPDATE page_views SET
    engaged_ms = MAX(COALESCE(engaged_ms, 0), ?4),
    scroll_pct = MAX(COALESCE(scroll_pct, 0), ?5)
WHERE site = ?1 AND id = ?2 AND visit_id = ?3
