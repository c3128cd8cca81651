SELECT secret_hash, scopes, expires_at FROM api_keys WHERE id = $1
