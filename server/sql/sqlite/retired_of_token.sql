SELECT secret_hash, retired_at FROM retired_secrets WHERE tag = ?1 ORDER BY retired_at
