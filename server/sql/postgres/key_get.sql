SELECT secret_hash, scopes, site, expires_at FROM api_keys WHERE id = $1
