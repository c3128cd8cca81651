-- ?4: the idle limit. A visit that was over before is not prolonged.
UPDATE sessions SET last_activity = ?3
WHERE id = ?1 AND ended_at IS NULL AND last_activity < ?3 AND last_activity > ?2 - ?4
