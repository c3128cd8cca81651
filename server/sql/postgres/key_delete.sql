DELETE FROM api_keys WHERE name = $1
