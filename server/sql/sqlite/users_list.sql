SELECT id, name, role, created_at, disabled_at FROM users ORDER BY name
