SELECT created_at, tag, json_object('session', tag, 'user_id', user_id, 'signed_in_at', signed_in_at, 'created_at', created_at, 'last_activity', last_activity, 'ended_at', ended_at,
    'device', device, 'remembered', json(IIF(remembered, 'true', 'false')))
FROM session_tokens WHERE visit_id = ?1 AND (created_at, tag) > (?2, ?3)
ORDER BY created_at, tag LIMIT ?4
