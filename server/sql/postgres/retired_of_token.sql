SELECT tag, secret_hash, retired_at FROM retired_secrets WHERE tag = ANY($1) ORDER BY retired_at
