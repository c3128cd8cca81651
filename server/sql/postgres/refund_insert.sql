INSERT INTO refunds (site, id, refund_of, visitor_id, user_id, amount, currency, created_at, received_at)
SELECT site, id, refund_of, visitor_id, user_id, amount::numeric, currency, created_at, received_at
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bigint[], $9::bigint[])
    AS w (site, id, refund_of, visitor_id, user_id, amount, currency, created_at, received_at)
