SELECT secret_hash, scopes, site, expires_at, id, name, created_at FROM api_keys ORDER BY name
