SELECT source, finished_at FROM migrated_from
