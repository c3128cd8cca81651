-- A late fact may lengthen a visit that expired, never one that was ended on request.
UPDATE sessions SET
    page_views = page_views + ?3,
    events = events + ?4,
    ended_at = CASE WHEN ended_at = last_activity THEN MAX(ended_at, ?2) ELSE ended_at END,
    last_activity = MAX(last_activity, CASE WHEN ended_at > last_activity THEN MIN(?2, ended_at) ELSE ?2 END)
WHERE id = ?1
