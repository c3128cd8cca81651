-- The first fact of a visit says what its start only guessed.
UPDATE sessions SET
    site = ?2,
    visitor_id = COALESCE(visitor_id, ?3),
    entry_url = COALESCE(?4, entry_url),
    referrer = COALESCE(?5, referrer),
    referrer_host = CASE WHEN ?5 IS NULL THEN referrer_host ELSE ?6 END
WHERE id = ?1
