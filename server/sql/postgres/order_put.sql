-- The ledger has decided that these orders are new, or replace one of a browser.
INSERT INTO orders (site, id, visit_id, visitor_id, user_id, amount, currency, items, source, disputed, created_at, received_at)
SELECT site, id, visit_id, visitor_id, user_id, amount::numeric, currency, items, source, disputed, created_at, received_at
FROM unnest($1::text[], $2::text[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::boolean[], $11::bigint[], $12::bigint[])
    AS w (site, id, visit_id, visitor_id, user_id, amount, currency, items, source, disputed, created_at, received_at)
ON CONFLICT (site, id) DO UPDATE SET
    visit_id = COALESCE(excluded.visit_id, orders.visit_id),
    visitor_id = COALESCE(excluded.visitor_id, orders.visitor_id),
    user_id = COALESCE(excluded.user_id, orders.user_id),
    amount = excluded.amount, currency = excluded.currency,
    items = COALESCE(excluded.items, orders.items),
    source = excluded.source, disputed = excluded.disputed,
    created_at = excluded.created_at, received_at = excluded.received_at
