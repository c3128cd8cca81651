-- Amounts are exact decimals: whole and fraction (in ten-thousandths) are summed as integers. The
-- mean, AVG(amount), is computed from these sums too, so that every database gives the same number.
SELECT currency, COUNT(*),
    SUM(trunc(amount))::bigint,
    SUM((amount - trunc(amount)) * 10000)::bigint,
    COUNT(*) FILTER (WHERE disputed)
FROM orders WHERE created_at >= $1 AND created_at < $2 AND ($3::text IS NULL OR site = $3)
GROUP BY currency
