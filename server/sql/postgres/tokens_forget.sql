DELETE FROM session_tokens WHERE ended_at < $1
