-- $1: now - the delay of the sweep; idle and absolute limit: $2, $3, of remembered sessions $4, $5. A remembered session is not
-- active before it is created, so most of them need no check.
-- Other servers need not be told: they judge the token by the same limits, and one that has later activity learns of the
-- end when it writes that.
UPDATE session_tokens SET
    ended_at = CASE WHEN remembered THEN LEAST(last_activity + $4::bigint, created_at + $5::bigint)
                    ELSE LEAST(last_activity + $2::bigint, created_at + $3::bigint) END,
    generation = generation + 1
WHERE ended_at IS NULL AND (
    (NOT remembered AND (last_activity <= $1::bigint - $2::bigint OR created_at <= $1::bigint - $3::bigint))
    OR (remembered AND created_at <= $1::bigint - $4::bigint AND (last_activity <= $1::bigint - $4::bigint OR created_at <= $1::bigint - $5::bigint)))
