-- ?1: now - the delay of the sweep; idle and absolute limit: ?2, ?3, of remembered sessions ?4, ?5. A remembered session is not
-- active before it is created, so most of them need no check.
-- Other servers need not be told: they judge the token by the same limits, and one that has later activity learns of the
-- end when it writes that.
UPDATE session_tokens SET
    ended_at = CASE WHEN remembered = 1 THEN MIN(last_activity + ?4, created_at + ?5)
                    ELSE MIN(last_activity + ?2, created_at + ?3) END,
    generation = generation + 1
WHERE ended_at IS NULL AND (
    (remembered = 0 AND (last_activity <= ?1 - ?2 OR created_at <= ?1 - ?3))
    OR (remembered = 1 AND created_at <= ?1 - ?4 AND (last_activity <= ?1 - ?4 OR created_at <= ?1 - ?5)))
