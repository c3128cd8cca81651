INSERT INTO api_keys (id, name, secret_hash, scopes, site, created_at, expires_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
ON CONFLICT (name) DO NOTHING
