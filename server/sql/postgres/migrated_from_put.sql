INSERT INTO migrated_from (source, begun_at) VALUES ($1, $2)
