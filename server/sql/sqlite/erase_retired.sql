DELETE FROM retired_secrets WHERE tag = ?1
