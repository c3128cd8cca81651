-- The ledger has decided that this order is new, or replaces one of a browser.
INSERT INTO orders (site, id, visit_id, visitor_id, user_id, amount, currency, items, source, disputed, created_at, received_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
ON CONFLICT (site, id) DO UPDATE SET
    visit_id = COALESCE(excluded.visit_id, orders.visit_id),
    visitor_id = COALESCE(excluded.visitor_id, orders.visitor_id),
    user_id = COALESCE(excluded.user_id, orders.user_id),
    amount = excluded.amount, currency = excluded.currency,
    items = COALESCE(excluded.items, orders.items),
    source = excluded.source, disputed = excluded.disputed,
    created_at = excluded.created_at, received_at = excluded.received_at
