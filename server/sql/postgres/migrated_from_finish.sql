UPDATE migrated_from SET finished_at = $1
