-- ?1: now - grace - idle limit, ?2: now - grace - absolute limit.
UPDATE sessions SET ended_at = last_activity
WHERE ended_at IS NULL AND (
    last_activity <= ?1
    OR (EXISTS (SELECT 1 FROM session_tokens AS t WHERE t.visit_id = sessions.id)
        AND NOT EXISTS (SELECT 1 FROM session_tokens AS t WHERE t.visit_id = sessions.id
            AND t.ended_at IS NULL AND t.last_activity > ?1 AND t.created_at > ?2)))
