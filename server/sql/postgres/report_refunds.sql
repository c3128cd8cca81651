-- Summed like the orders.
SELECT currency, COUNT(*),
    SUM(trunc(amount))::bigint,
    SUM((amount - trunc(amount)) * 10000)::bigint
FROM refunds WHERE created_at >= $1 AND created_at < $2 AND ($3::text IS NULL OR site = $3)
GROUP BY currency
