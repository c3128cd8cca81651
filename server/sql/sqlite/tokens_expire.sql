-- ?1: now - the delay of the sweep; idle and absolute limit: ?2, ?3, of remembered sessions ?4, ?5. A remembered session is not
-- active before it is created, so that most of them need no look.
-- No news for others: whoever judges the token finds the same, and who knows of later activity hears when that is
-- written.
UPDATE session_tokens SET
    ended_at = CASE WHEN remembered = 1 THEN MIN(last_activity + ?4, created_at + ?5)
                    ELSE MIN(last_activity + ?2, created_at + ?3) END,
    generation = generation + 1
WHERE ended_at IS NULL AND (
    (remembered = 0 AND (last_activity <= ?1 - ?2 OR created_at <= ?1 - ?3))
    OR (remembered = 1 AND created_at <= ?1 - ?4 AND (last_activity <= ?1 - ?4 OR created_at <= ?1 - ?5)))
