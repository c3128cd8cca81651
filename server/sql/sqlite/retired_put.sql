INSERT OR IGNORE INTO retired_secrets (secret_hash, tag, retired_at) VALUES (?1, ?2, ?3)
