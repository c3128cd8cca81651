-- Summed like the orders.
SELECT currency, COUNT(*),
    SUM(CAST(amount AS INTEGER)),
    SUM(CAST(substr(substr(amount, instr(amount || '.', '.') + 1) || '0000', 1, 4) AS INTEGER))
FROM refunds WHERE created_at >= ?1 AND created_at < ?2 AND (?3 IS NULL OR site = ?3)
GROUP BY currency
