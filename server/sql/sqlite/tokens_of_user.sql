-- The sessions of user ?1 that have not ended, the last that began first, at most ?3: those whose visit is
-- of site ?2, or all.
SELECT t.tag, t.secret_hash, t.generation, t.visit_id, t.user_id, t.signed_in_at, t.created_at, t.last_activity, t.ended_at, t.remembered, t.device
FROM session_tokens AS t LEFT JOIN sessions AS v ON v.id = t.visit_id
WHERE t.user_id = ?1 AND t.ended_at IS NULL AND (?2 IS NULL OR v.site = ?2)
ORDER BY t.created_at DESC LIMIT ?3
