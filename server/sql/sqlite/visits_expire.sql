-- ?1: now - the delay of the sweep - idle limit.
UPDATE sessions SET ended_at = last_activity WHERE ended_at IS NULL AND last_activity <= ?1
