INSERT OR IGNORE INTO retired_secrets (secret_hash, tag, retired_at, visit_id) VALUES (?1, ?2, ?3, ?4)
