INSERT INTO sessions (id, site, visitor_id, user_id, started_at, last_activity, ended_at, entry_url, referrer, referrer_host)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
