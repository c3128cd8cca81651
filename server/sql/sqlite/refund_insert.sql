INSERT INTO refunds (site, id, refund_of, visitor_id, user_id, amount, currency, created_at, received_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
