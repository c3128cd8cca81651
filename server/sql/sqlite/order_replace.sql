-- The end of the statement that inserts orders. The ledger has decided that an order replaces one of a browser.
ON CONFLICT (site, id) DO UPDATE SET
    visit_id = COALESCE(excluded.visit_id, orders.visit_id),
    visitor_id = COALESCE(excluded.visitor_id, orders.visitor_id),
    user_id = COALESCE(excluded.user_id, orders.user_id),
    amount = excluded.amount, currency = excluded.currency,
    items = COALESCE(excluded.items, orders.items),
    source = excluded.source, disputed = excluded.disputed,
    created_at = excluded.created_at, received_at = excluded.received_at
