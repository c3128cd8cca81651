-- Amounts are exact decimals: whole and fraction (in ten-thousandths) are summed as integers. The
-- mean, AVG(amount), is computed from these sums too, so that every database gives the same number.
SELECT currency, COUNT(*),
    SUM(CAST(amount AS INTEGER)),
    SUM(CAST(substr(substr(amount, instr(amount || '.', '.') + 1) || '0000', 1, 4) AS INTEGER)),
    COUNT(*) FILTER (WHERE disputed)
FROM orders WHERE created_at >= ?1 AND created_at < ?2 AND (?3 IS NULL OR site = ?3)
GROUP BY currency
