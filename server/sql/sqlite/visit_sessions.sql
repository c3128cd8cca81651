-- How many sessions point at the visit, and how many of them are live.
SELECT COUNT(*), COALESCE(SUM(ended_at IS NULL AND last_activity > ?2 AND created_at > ?3), 0)
FROM session_tokens WHERE visit_id = ?1
