INSERT INTO erased_visitors (visitor_hash, erased_at) VALUES (?1, ?2)
ON CONFLICT (visitor_hash) DO UPDATE SET erased_at = excluded.erased_at
