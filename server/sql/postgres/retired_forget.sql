DELETE FROM retired_secrets WHERE retired_at < $1
