SELECT tag FROM session_tokens WHERE tag = ANY($1::text[]) AND ended_at IS NOT NULL
