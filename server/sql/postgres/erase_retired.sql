DELETE FROM retired_secrets WHERE tag = ANY($1)
