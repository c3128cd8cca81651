INSERT INTO erasures (erased_at, asked_by, row_count) VALUES (?1, ?2, ?3)
