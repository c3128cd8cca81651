INSERT INTO user_endings (user_hash, site, ended_at) VALUES (?1, ?2, ?3)
ON CONFLICT (user_hash, site) DO UPDATE SET ended_at = MAX(user_endings.ended_at, excluded.ended_at)
