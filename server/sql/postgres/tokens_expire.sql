-- $1: now - grace - idle limit, $2: now - grace - absolute limit, $3, $4: the limits.
-- No news for others: whoever judges the token finds the same.
UPDATE session_tokens SET
    ended_at = LEAST(last_activity + $3, created_at + $4), generation = generation + 1
WHERE ended_at IS NULL AND (last_activity <= $1 OR created_at <= $2)
